"""The rules of the application in pure Python: no database, no Flask, no clock."""

"""What keeps a site running: backups, moves, the doctor, upkeep, what is measured."""

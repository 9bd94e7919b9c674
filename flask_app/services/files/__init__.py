"""The files that people attach to their messages: taken in, kept in pieces, shown to models, and removed."""

"""How somebody shows who they are: passwords, second steps, passkeys, identity providers, directories, sessions."""

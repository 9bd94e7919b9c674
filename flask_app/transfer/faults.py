"""What can be wrong with a backup."""

from flask_app.errors import AppError


class Damaged(AppError):
    """It is not what was written: cut, changed, or no backup at all."""

    code, status = "backup_damaged", 422


class WrongPassphrase(AppError):
    """The first piece does not open: another passphrase, or a damaged one."""

    code, status = "backup_passphrase_wrong", 422

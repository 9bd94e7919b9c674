"""The pages, the export, the settlement and the check over a ledger of ten million rows: `python -m bench.ledger`."""

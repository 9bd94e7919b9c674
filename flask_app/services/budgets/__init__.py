"""What may be used: limits, balances, top-ups and redeem codes."""

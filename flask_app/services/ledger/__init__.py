"""Every token, written down once: attempts, settlements, refunds, and the sums that must agree with them."""

"""What a relayed token costs, against a bare relay in the same run. See README.md."""

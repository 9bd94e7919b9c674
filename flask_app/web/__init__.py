"""The edge: what turns HTTP into calls of services and their results into HTTP."""

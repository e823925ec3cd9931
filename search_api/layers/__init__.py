"""The middleware every request passes: limits, security, errors, metrics."""

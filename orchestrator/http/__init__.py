"""HTTP: routers, request and response models, and the one table from error code to status."""

"""Work that waits in tables: leases, retries, isolation of errors, batches and retention."""

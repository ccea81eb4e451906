"""What is searched for: filters, orders, fields and pages, as every store understands them."""

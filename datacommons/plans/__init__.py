"""Plans of visitors: an intervention drawn on the page, projected on the fitted model, and kept for a while."""

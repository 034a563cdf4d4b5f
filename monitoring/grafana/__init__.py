"""The dashboards: short specifications, and the classic JSON that Grafana loads, made from them."""

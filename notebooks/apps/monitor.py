from workbench.server.dashboards import show

show("/monitor")

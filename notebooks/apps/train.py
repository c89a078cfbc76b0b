from workbench.server.dashboards import show

show("/train")

"""Fixtures that the tests of the package and of the projects share."""

pytest_plugins = ["tests.fixtures"]

"""Helpers that know nothing of networks: files, images, progress, parallel work, environment."""

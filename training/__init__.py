"""Recipes that make the shipped models."""

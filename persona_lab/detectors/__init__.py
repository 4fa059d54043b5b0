"""Detectors: text in, profiles with intervals out."""

from persona_lab.detectors.base import Detector, Request, Result

__all__ = ["Detector", "Request", "Result"]

"""PsyCoT: personality by questionnaire prompting, with any language model."""

from persona_lab.detectors.psycot.detector import PsyCotDetector, Settings
from persona_lab.detectors.psycot.report import Report
from persona_lab.detectors.psycot.scoring import Correction
from persona_lab.detectors.psycot.variants import VARIANTS, Variant

__all__ = ["VARIANTS", "Correction", "PsyCotDetector", "Report", "Settings", "Variant"]

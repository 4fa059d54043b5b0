"""What a measurement of personality is worth.

Reliability (``reliability``, ``retest``), agreement of raters (``agreement``), effect sizes
(``effects``), sources of variance (``variance``), validity (``mtmm``) and sensitivity to the
way of asking (``sensitivity``). Each function returns frozen results with an interval, or
says why there is none; see :class:`~persona_lab.psychometrics.estimate.Estimate`.
"""

from persona_lab.psychometrics.agreement import (
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
    wilson,
)
from persona_lab.psychometrics.effects import (
    PairedTest,
    cliffs_delta,
    cohens_d,
    cohens_dz,
    hedges_g,
    holm,
    paired_tests,
)
from persona_lab.psychometrics.estimate import Estimate
from persona_lab.psychometrics.mtmm import (
    MultitraitMultimethod,
    correlation,
    multitrait_multimethod,
)
from persona_lab.psychometrics.reliability import cronbach_alpha, mcdonald_omega, split_half
from persona_lab.psychometrics.retest import (
    icc,
    minimal_detectable_change,
    retest_standard_error,
    standard_error_of_measurement,
)
from persona_lab.psychometrics.sensitivity import (
    Shift,
    acquiescence,
    negation_consistency,
    option_order_symmetry,
    sign_flip_test,
    straight_lining,
    wording_sensitivity,
)
from persona_lab.psychometrics.variance import (
    Component,
    VarianceComponents,
    generalizability,
    variance_components,
)

__all__ = [
    "Component",
    "Estimate",
    "MultitraitMultimethod",
    "PairedTest",
    "Shift",
    "VarianceComponents",
    "acquiescence",
    "cliffs_delta",
    "cohens_d",
    "cohens_dz",
    "correlation",
    "cronbach_alpha",
    "generalizability",
    "hedges_g",
    "holm",
    "icc",
    "krippendorff_alpha",
    "mcdonald_omega",
    "minimal_detectable_change",
    "multitrait_multimethod",
    "negation_consistency",
    "option_order_symmetry",
    "paired_tests",
    "percent_agreement",
    "retest_standard_error",
    "sign_flip_test",
    "split_half",
    "standard_error_of_measurement",
    "straight_lining",
    "variance_components",
    "weighted_kappa",
    "wilson",
    "wording_sensitivity",
]

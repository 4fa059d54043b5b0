// Names of traits and poles, and how scores are said in words.

export const POLES = {
  openness: ["conventional", "open"],
  conscientiousness: ["spontaneous", "conscientious"],
  extraversion: ["introverted", "extraverted"],
  agreeableness: ["critical", "agreeable"],
  neuroticism: ["stable", "neurotic"],
  EI: ["Introversion", "Extraversion"],
  SN: ["iNtuition", "Sensing"],
  TF: ["Feeling", "Thinking"],
  JP: ["Perceiving", "Judging"],
};

const AXES = { EI: "E or I", SN: "S or N", TF: "T or F", JP: "J or P" };

export const titleOf = (trait) => AXES[trait] ?? trait;
export const isAxis = (trait) => trait in AXES;
export const percent = (x) => `${Math.round(100 * x)} %`;
export const signed = (x) => (x > 0 ? "+" : "−") + Math.abs(x).toFixed(2);

/** What the label of a score says. */
export function verdict(trait, score) {
  if (score.label === "abstain") return "unsure";
  return POLES[trait][score.label === "high" ? 1 : 0];
}

export const PARTS = {
  stability: "Steadiness",
  drift: "No drift",
  target: "Target match",
  contradiction: "No contradictions",
  accommodation: "Fit to the partner",
};

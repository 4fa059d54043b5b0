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

const WHY = { nothing_shown: "nothing shown", mixed: "mixed", too_short: "too short" };

/** What the label of a score says, or why there is none. */
export function verdict(trait, score) {
  if (score.label === "abstain") return WHY[score.why] ?? "unsure";
  return POLES[trait][score.label === "high" ? 1 : 0];
}

const level = (x) => (x >= 0 ? "+" : "−") + Math.abs(x).toFixed(1);

/** Where a score stands on a track from 0 to 1, and how it is said: a level where one is shown, else a probability. */
export function placed(score) {
  if (score.level === undefined || score.level === null) {
    return { point: score.p_high, low: score.low, high: score.high, threshold: score.threshold, text: percent(score.p_high), range: `${Math.round(100 * score.low)}–${Math.round(100 * score.high)}` };
  }
  const [point, low, high] = [score.level, score.level_low, score.level_high].map((x) => (x + 2) / 4);
  return { point, low, high, threshold: 0.5, text: level(score.level), range: `${level(score.level_low)} to ${level(score.level_high)}` };
}

export const PARTS = {
  stability: "Steadiness",
  drift: "No drift",
  target: "Target match",
  contradiction: "No contradictions",
  accommodation: "Fit to the partner",
};

/** What this module refuses on purpose: the message names the argument, the rule, the value and the way out. */
export class RecommenderError extends Error {
  name = "RecommenderError";
}

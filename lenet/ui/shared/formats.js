// Numbers as the page writes them.

/** Thousands with commas. @param {number} number */
export const count = (number) => number.toLocaleString("en");

/** @param {number} share @param {number} [digits] after the point */
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** Two digits after the point, and a minus sign as wide as a plus. @param {number} value */
export const decimal = (value) => value.toFixed(2).replace("-", "−");

/** An article: a 7, an 8. @param {number} digit */
export const an = (digit) => (digit === 8 ? "an" : "a");

/** The time of today, else the day. @param {number} time in milliseconds since 1970 */
export function when(time) {
  const date = new Date(time);
  return date.toDateString() === new Date().toDateString()
    ? date.toLocaleTimeString([], { timeStyle: "short" })
    : date.toLocaleDateString([], { dateStyle: "medium" });
}

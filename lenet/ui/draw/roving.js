// One tab stop for many elements: the one that had the focus last. Keys go to the others.

/** A direction: right, down. @typedef {[number, number]} Way */

/** Where the arrow keys go. @type {Record<string, Way>} */
export const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** @typedef {{ left: number, top: number, width: number, height: number }} Rectangle */

/**
 * The next rectangle in a direction: the nearest one, where a way aside counts three times.
 *
 * @template {Rectangle} Place
 * @param {Rectangle} from
 * @param {Place[]} places
 * @param {Way} way
 * @returns {Place | undefined}
 */
export function nextTo(from, places, [right, down]) {
  /** @param {Rectangle} place */
  const middle = ({ left, top, width, height }) => [left + width / 2, top + height / 2];
  const [x0, y0] = middle(from);
  let best;
  let least = Infinity;
  for (const place of places) {
    const [x, y] = middle(place);
    const ahead = right * (x - x0) + down * (y - y0);
    const aside = Math.abs(right * (y - y0) + down * (x - x0));
    const far = ahead + 3 * aside;
    if (ahead <= 1 || far >= least) continue;
    best = place;
    least = far;
  }
  return best;
}

/**
 * Make one tab stop of elements.
 *
 * @param {HTMLElement[]} stops in their order
 */
export function roving(stops) {
  for (const stop of stops) {
    stop.tabIndex = stop === stops[0] ? 0 : -1;
    stop.addEventListener("focus", () => {
      for (const each of stops) each.tabIndex = each === stop ? 0 : -1;
    });
  }

  return {
    /** Go to the one before or after one. @param {HTMLElement} from @param {number} by */
    step: (from, by) => stops[stops.indexOf(from) + by]?.focus(),
    /** Go to the next one in a direction. @param {HTMLElement} from @param {Way} way */
    go: (from, way) => {
      const seen = stops.filter((stop) => stop !== from && stop.getClientRects().length > 0);
      const places = seen.map((stop) => {
        const { left, top, width, height } = stop.getBoundingClientRect();
        return { stop, left, top, width, height };
      });
      nextTo(from.getBoundingClientRect(), places, way)?.stop.focus();
    },
  };
}

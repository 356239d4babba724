/** More edits than this make another word, and no misspelling. */
const MOST_EDITS = 3;
/** Of names in a message. */
const MOST_SHOWN = 10;

/** The known names that are nearest to a misspelt one, the nearest first; empty if none is near. */
export function nearNames(misspelt: string, known: readonly string[]): readonly string[] {
  const given = misspelt.toLowerCase();
  return known
    .map((name) => ({ name, distance: distanceOf(given, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.min(MOST_EDITS, Math.ceil(name.length / 3)))
    .sort((one, other) => one.distance - other.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** ` (did you mean a or b?)`, or nothing if no known name is near. */
export function didYouMean(misspelt: string, known: readonly string[]): string {
  const near = nearNames(misspelt, known);
  return near.length === 0 ? '' : ` (did you mean ${near.join(' or ')}?)`;
}

/** What to try in the place of a name that nothing has: those that are near, or else some of those that there are. */
export function whatThereIs(misspelt: string, known: readonly string[]): string {
  const near = nearNames(misspelt, known);
  if (near.length > 0) return ` (did you mean ${near.map((name) => JSON.stringify(name)).join(' or ')}?)`;
  if (known.length === 0) return '; there is none of any name';
  const shown = known.slice(0, MOST_SHOWN).map((name) => JSON.stringify(name));
  return `; there are ${shown.join(', ')}${known.length > MOST_SHOWN ? ` and ${known.length - MOST_SHOWN} others` : ''}`;
}

/** How many characters have to be added, removed, replaced or exchanged with their neighbour; 0 if one name begins the other. */
function distanceOf(one: string, other: string): number {
  if (one.length > 2 && other.length > 2 && (one.startsWith(other) || other.startsWith(one))) return 0;
  let beforeLast: readonly number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let at = 1; at <= other.length; at++) {
      const isSame = one[row - 1] === other[at - 1];
      let edits = Math.min(last[at]! + 1, next[at - 1]! + 1, last[at - 1]! + (isSame ? 0 : 1));
      if (row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1])
        edits = Math.min(edits, beforeLast[at - 2]! + 1);
      next.push(edits);
    }
    beforeLast = last;
    last = next;
  }
  return last[other.length]!;
}

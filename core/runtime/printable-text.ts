/**
 * What a terminal or a reader of logs obeys instead of showing: control characters (C0 without tab and line feed, DEL, C1), marks and
 * overrides of the writing direction, Unicode's separators of lines and paragraphs, and the byte order mark.
 */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what it finds
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * The text with every such character as a visible escape, `\u001b`. Tabs and line feeds stay. In JSON, whose strings are the only place
 * where such characters can stand, the result is JSON of the same value.
 */
export function printableText(text: string): string {
  return text.replace(HIDDEN, escapeOf);
}

/** The same for text of others inside a line: line feeds become `\n`, so that it cannot add a line of its own. */
export function printableLine(text: string): string {
  return printableText(text).replaceAll('\n', '\\n');
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

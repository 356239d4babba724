/** Every four-letter word that ZooKeeper 3.9 knows. */
const WORDS: ReadonlySet<string> = new Set([
  'conf',
  'cons',
  'crst',
  'dirs',
  'dump',
  'envi',
  'gtmk',
  'hash',
  'isro',
  'mntr',
  'ruok',
  'srst',
  'srvr',
  'stat',
  'stmk',
  'wchc',
  'wchp',
  'wchs',
]);

export const WORD_BYTES = 4;

export function isFourLetterWord(text: string): boolean {
  return WORDS.has(text);
}

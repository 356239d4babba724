import { printableText } from '../../../core/runtime/index.js';
import { ConfigurationError, type ListenerHost } from '../../../core/server/index.js';
import { mntr } from './words/monitor-word.js';
import { cons, srvr, stat } from './words/server-words.js';
import { dump, wchc, wchp, wchs } from './words/session-words.js';
import { conf, dirs, envi } from './words/setting-words.js';
import { lines, type WordContext } from './words/word-context.js';

export const WORD_BYTES = 4;

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';

type Answer = (context: WordContext) => string | Promise<string>;

/** Answered only by a member that serves clients. */
const OF_A_MEMBER_THAT_SERVES: Readonly<Record<string, Answer>> = {
  conf,
  cons,
  crst: ({ inspection }) => {
    inspection.resetConnections();
    return lines('Connection stats reset.');
  },
  dirs,
  dump,
  hash: ({ health }) => lines(`${health.zxid.slice(2)}: ${BigInt(health.digest)}`),
  mntr,
  srst: ({ inspection }) => {
    inspection.resetTraffic();
    return lines('Server stats reset.');
  },
  srvr,
  stat,
  wchc,
  wchp,
  wchs,
};

const ALWAYS: Readonly<Record<string, (host: ListenerHost) => string>> = {
  envi,
  // kazoo and the Java client compare these two with the bare word.
  isro: (host) => {
    const { isServing, readOnly } = host.health();
    return readOnly ? 'ro' : isServing ? 'rw' : 'null';
  },
  ruok: () => 'imok',
};

/** Known to ZooKeeper; there is no trace whose mask they could tell or set. */
const NEVER: readonly string[] = ['gtmk', 'stmk'];

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(OF_A_MEMBER_THAT_SERVES),
  ...Object.keys(ALWAYS),
  ...NEVER,
]);

/** What ZooKeeper allows everybody unless it is told otherwise. */
const FOR_STRANGERS: ReadonlySet<string> = new Set(['srvr', 'isro']);

/** What says no more than that the member lives: for everybody, where sessions need an identity. */
const FOR_ANONYMOUS: ReadonlySet<string> = new Set(['ruok', 'isro']);

export function isFourLetterWord(text: string): boolean {
  return KNOWN.has(text);
}

/**
 * Words that everybody may use, from `*` or `ruok,srvr,mntr`. Null if the text is undefined: then all of them from this
 * machine, and `srvr` and `isro` from elsewhere; `ruok` and `isro` alone where authentication is required. Throws `ConfigurationError`.
 */
export function parseWordList(text: string | undefined): ReadonlySet<string> | null {
  if (text === undefined) return null;
  if (text.trim() === '*') return KNOWN;
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const unknown = words.find((word) => !KNOWN.has(word));
  if (unknown === undefined) return new Set(words);
  throw new ConfigurationError(
    'fourLetterWords',
    `"${unknown}" is no four-letter word`,
    `Give * or some of ${[...KNOWN].sort().join(', ')}, with commas between them.`,
  );
}

export interface FourLetterWordsParts {
  readonly host: ListenerHost;
  /** As `parseWordList` returns it. */
  readonly allowed: ReadonlySet<string> | null;
  readonly clientPort: number;
  readonly securePort: number;
}

/** Answers ZooKeeper's four-letter words in ZooKeeper's own form: monitors and scripts take it apart. */
export class FourLetterWords {
  readonly #parts: FourLetterWordsParts;

  constructor(parts: FourLetterWordsParts) {
    this.#parts = parts;
  }

  async answer(word: string, remoteAddress: string): Promise<string> {
    const { host } = this.#parts;
    if (!this.#isAllowed(word, remoteAddress)) {
      return lines(`${word} is not executed because it is not in the whitelist.`);
    }
    const always = ALWAYS[word];
    if (always !== undefined) return always(host);
    const health = host.health();
    const inspection = host.inspection();
    if (inspection === null || !(health.isServing || health.readOnly)) return NOT_SERVING;
    const text = await OF_A_MEMBER_THAT_SERVES[word]!({ ...this.#parts, health, inspection });
    // Paths and identities of others, for the terminal of whoever asks.
    return printableText(text);
  }

  #isAllowed(word: string, remoteAddress: string): boolean {
    if (NEVER.includes(word)) return false;
    const { allowed } = this.#parts;
    if (allowed !== null) return allowed.has(word);
    if (this.#parts.host.options.requireAuth) return FOR_ANONYMOUS.has(word);
    return FOR_STRANGERS.has(word) || isLoopback(remoteAddress);
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

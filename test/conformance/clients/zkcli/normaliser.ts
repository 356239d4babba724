/** Takes out of the shell's output what differs from run to run, and keeps what is equal to what. */
export class Normaliser {
  readonly #connect: string;
  readonly #names = new Map<string, string>();

  constructor(connect: string) {
    this.#connect = connect;
  }

  /** What a command printed. */
  lines(command: string, lines: readonly string[]): string[] {
    const normal = lines.map((line) => this.#line(line));
    // Of two sessions: neither waits for the other.
    if (command.startsWith('connect ')) return normal.sort();
    // Sets: no order is promised.
    if (command === 'whoami') return normal.sort();
    if (command.startsWith('getEphemerals')) return normal.map(sortList);
    if (command.startsWith('getAcl')) return sortEntries(normal);
    return normal;
  }

  #line(line: string): string {
    return line
      .replaceAll(this.#connect, 'CONNECT')
      .replace(/^([cm]time) = .*$/, '$1 = TIME')
      .replace(/^([cmp]Zxid) = (0x[0-9a-f]+)$/, (_line, field: string, zxid: string) =>
        // What was there from the beginning has no zxid.
        zxid === '0x0' ? `${field} = 0x0` : `${field} = ${this.#nameOf('zxid', zxid)}`,
      )
      .replace(/^ephemeralOwner = (0x[0-9a-f]+)$/, (_line, id: string) =>
        id === '0x0' ? 'ephemeralOwner = 0x0' : `ephemeralOwner = ${this.#nameOf('session', id)}`,
      )
      .replace(/^(server\.\d+=127\.0\.0\.1):\d+:\d+:/, '$1:PORT:PORT:');
  }

  /** Numbered in the order in which they are first seen. */
  #nameOf(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const count = [...this.#names.keys()].filter((name) => name.startsWith(`${kind} `)).length;
    const name = `${kind} ${count + 1}`;
    this.#names.set(key, name);
    return name;
  }
}

/** `[b, a]` becomes `[a, b]`. */
function sortList(line: string): string {
  return line.startsWith('[') ? `[${line.slice(1, -1).split(', ').sort().join(', ')}]` : line;
}

/** The entries of an ACL, each of which is printed on two lines, come first. */
function sortEntries(lines: readonly string[]): string[] {
  const entries: string[] = [];
  const others: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    if (lines[index + 1]?.startsWith(': ')) entries.push(`${lines[index++]}${lines[index]}`);
    else others.push(lines[index]!);
  }
  return [...entries.sort(), ...others];
}

import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { projectRoot } from '../house/imports.js';

/** A znode as a client of the old version saw it: numbers of 64 bits as text, data in base64. */
export interface ExpectedZnode {
  readonly data: string;
  readonly stat: Readonly<Record<string, number | string>>;
}

/** What the storage of the old version recovered from one directory; zxids as text. */
export interface ExpectedHistory {
  readonly acceptedEpoch: number;
  readonly rejoining: string | null;
  readonly lastZxid: string;
  readonly epochs: readonly { readonly epoch: number; readonly lastZxid: string }[];
}

interface DirectoryFixture {
  readonly expected: {
    readonly znodes: Readonly<Record<string, ExpectedZnode>>;
    /** By directory of a member, '' for the only one. */
    readonly histories: Readonly<Record<string, ExpectedHistory>>;
    /** The highest value of `/written` that was acknowledged before the kill. */
    readonly acknowledged?: number;
    /** The session that owns `/app/ephemeral`, and was open at the kill. */
    readonly session?: string;
  };
  readonly files: Readonly<Record<string, { readonly size: number; readonly content: string }>>;
}

/** Reads `test/versions/VERSION/NAME.json.gz`. */
export async function readFixture(version: string, name: string): Promise<unknown> {
  const path = join(projectRoot, 'test', 'versions', version, `${name}.json.gz`);
  return JSON.parse(gunzipSync(await readFile(path)).toString('utf8'));
}

/** Writes the directories of a fixture to a new temporary folder, which the caller removes. */
export async function unpackFixture(
  version: string,
  name: string,
): Promise<{ readonly root: string; readonly expected: DirectoryFixture['expected'] }> {
  const { expected, files } = (await readFixture(version, name)) as DirectoryFixture;
  const root = await mkdtemp(join(tmpdir(), 'quorate-fixture-'));
  for (const [path, { size, content }] of Object.entries(files)) {
    const bytes = Buffer.alloc(size);
    Buffer.from(content, 'base64').copy(bytes);
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
  return { root, expected };
}

import { chown, stat } from 'node:fs/promises';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The owner of the directory, if this process is root and the directory is not root's: what root makes in
 * the directory of a member, as `quorate doctor` does, has to stay readable and writable for that member.
 * Otherwise null.
 */
export async function ownerToKeep(location: string): Promise<FileOwner | null> {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = await stat(location);
  return uid === 0 ? null : { uid, gid };
}

/** Gives `paths`, which this process has made in the directory, to the owner of the directory. */
export async function keepOwner(location: string, ...paths: readonly string[]): Promise<void> {
  const owner = await ownerToKeep(location);
  if (owner === null) return;
  for (const path of paths) await chown(path, owner.uid, owner.gid);
}

/** Translates between the paths that a caller uses and those of the server, which have the chroot in front. */
export class Chroot {
  /** `''`, or a path without a slash at its end. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  toServer(path: string): string {
    if (this.prefix === '') return path;
    return path === '/' ? this.prefix : this.prefix + path;
  }

  /** Null for a path that is not below the chroot. */
  toClient(path: string): string | null {
    if (this.prefix === '') return path;
    if (path === this.prefix) return '/';
    return path.startsWith(`${this.prefix}/`) ? path.slice(this.prefix.length) : null;
  }
}

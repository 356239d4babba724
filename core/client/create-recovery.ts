import { OpCode, type ClientOp, type Stat } from '../protocol/index.js';
import type { Logger } from '../runtime/index.js';
import type { Chroot } from './chroot.js';
import { OutcomeUnknownError } from './client-errors.js';
import { ConnectionLossError } from './errors.js';
import { nameOf, parentOf } from './path.js';
import { PendingRequest, type RequestSpec } from './pending-request.js';
import { isSequential } from './requests.js';
import type { ServerLink } from './server-link.js';

/**
 * Finds out, on a new connection in the same session, which creates of unique names took effect although the
 * connection broke before their answers came. Each one found is resolved; each one not found is no longer in doubt,
 * and is to be sent again; where it may not look, the outcome stays unknown. Rejects when this connection breaks too:
 * the next one begins anew.
 *
 * A `sync` goes first. What the earlier connection had handed on is then either applied here, or refused because the
 * session has moved; so what is not there now will not appear later.
 */
export async function recoverCreates(
  creates: readonly PendingRequest[],
  { link, chroot, logger }: { readonly link: ServerLink; readonly chroot: Chroot; readonly logger: Logger },
): Promise<void> {
  const recovery = new Recovery(link, chroot);
  await Promise.all(
    creates.map(async (create) => {
      try {
        const found = await recovery.find(create as PendingRequest<typeof OpCode.create2>);
        create.isInDoubt = false;
        if (found === null) return;
        logger.info('a create whose answer was lost has taken effect', { path: found.path });
        create.resolve(found);
      } catch (cause) {
        if (cause instanceof ConnectionLossError) throw cause;
        const { operation, path } = create.spec;
        create.reject(new OutcomeUnknownError({ operation, path, cause }));
      }
    }),
  );
}

class Recovery {
  readonly #link: ServerLink;
  readonly #chroot: Chroot;
  /** Children by parent, asked for once. */
  readonly #children = new Map<string, Promise<readonly string[]>>();

  constructor(link: ServerLink, chroot: Chroot) {
    this.#link = link;
    this.#chroot = chroot;
  }

  /** The path as the caller sees it, with the Stat of now; null if there is no such znode. */
  async find(
    create: PendingRequest<typeof OpCode.create2>,
  ): Promise<{ readonly path: string; readonly stat: Stat } | null> {
    const { path, flags } = create.spec.body;
    const candidate = isSequential(flags) ? await this.#findNumbered(path) : path;
    if (candidate === null) return null;
    const stat = await this.#stat(candidate);
    return stat === null ? null : { path: this.#chroot.toClient(candidate) ?? candidate, stat };
  }

  async #findNumbered(path: string): Promise<string | null> {
    const parent = parentOf(path);
    const unique = nameOf(path);
    const children = await this.#childrenOf(parent);
    const name = children.find((child) => child.startsWith(unique) && isNumber(child.slice(unique.length)));
    if (name === undefined) return null;
    return parent === '/' ? `/${name}` : `${parent}/${name}`;
  }

  #childrenOf(parent: string): Promise<readonly string[]> {
    const known = this.#children.get(parent);
    if (known !== undefined) return known;
    this.#sync(parent);
    const asked = this.#ask({
      op: OpCode.getChildren,
      body: { path: parent, watch: false },
      rule: 'drop',
      operation: 'create',
      result: ({ children }) => children,
      whenMissing: () => [],
    });
    this.#children.set(parent, asked);
    return asked;
  }

  #stat(path: string): Promise<Stat | null> {
    this.#sync(path);
    return this.#ask<typeof OpCode.exists, Stat | null>({
      op: OpCode.exists,
      body: { path, watch: false },
      rule: 'drop',
      operation: 'create',
      result: ({ stat }) => stat,
      whenMissing: () => null,
    });
  }

  #sync(path: string): void {
    const spec = { op: OpCode.sync, body: { path }, rule: 'drop', operation: 'create' } as const;
    // If it fails, so does what is asked behind it; a missing znode is no failure here.
    this.#ask({ ...spec, result: () => undefined, whenMissing: () => undefined }).catch(() => undefined);
  }

  #ask<Op extends ClientOp, Result>(spec: RequestSpec<Op, Result>): Promise<Result> {
    const request = new PendingRequest(spec, { weight: 0 });
    this.#link.send(request as unknown as PendingRequest);
    return request.promise;
  }
}

/** What the server appends to the path of a sequential create. */
function isNumber(suffix: string): boolean {
  return /^(?:\d{10}|-\d{9,10})$/.test(suffix);
}

import { createHash } from 'node:crypto';
import { OPEN_ACL, Permission, type Acl } from '../../../core/protocol/index.js';
import type { Actor } from '../actor.js';

const PATHS = ['/acl/a', '/acl/b', '/acl/c'];
/** All clients know their passwords, and prove to be one of them now and then. */
const USERS = ['anna', 'bert', 'cleo'] as const;
type User = (typeof USERS)[number];
const MOST_AT_ONCE = 15;

/**
 * Trains of requests on znodes whose ACLs change all the while, with identities proved in the midst of them. Every reply is
 * compared with what the identities allow that were proved before its request was sent.
 */
export async function acls(actor: Actor): Promise<void> {
  const { client } = actor;
  const left: User[] = [...USERS];
  while (!actor.isOver) {
    const length = 2 + Math.floor(actor.random.next() * MOST_AT_ONCE);
    const proofAt = actor.chance(0.3) ? Math.floor(actor.random.next() * length) : -1;
    const train = Array.from({ length }, (_, index) => {
      const user = index === proofAt ? left.shift() : undefined;
      return user === undefined ? use(actor, actor.pick(PATHS)) : prove(actor, user);
    });
    await Promise.all(train);
    // A new session of the same client proves the same: another client begins without any.
    if (left.length === 0 && actor.chance(0.2)) await actor.attempt('whoAmI', () => client.whoAmI());
    await actor.think();
  }
}

function prove(actor: Actor, user: User): Promise<unknown> {
  return actor.attempt(`addAuth ${user}`, () => actor.client.addAuth('digest', `${user}:pw`));
}

function use(actor: Actor, path: string): Promise<unknown> {
  const { client } = actor;
  const acl = aclFrom(actor);
  const version = actor.chance(0.2) ? { version: Math.floor(actor.random.next() * 4) } : {};
  const kinds = [
    () => actor.attempt(`setAcl ${path}`, () => client.setAcl(path, acl, version)),
    () => actor.attempt(`setAcl ${path}`, () => client.setAcl(path, acl)),
    () => actor.attempt(`getAcl ${path}`, () => client.getAcl(path)),
    () => actor.attempt(`getData ${path}`, () => client.getData(path)),
    () => actor.attempt(`exists ${path}`, () => client.exists(path)),
    () => actor.attempt(`getChildren ${path}`, () => client.getChildren(path)),
    () => actor.attempt(`setData ${path}`, () => client.setData(path, actor.value(), version)),
    () => actor.attempt(`create ${path}`, () => client.create(path, actor.value(), { acl })),
    () => actor.attempt(`create ${path}/x`, () => client.create(`${path}/x`, null, { mode: 'ephemeral' })),
    () => actor.attempt(`delete ${path}/x`, () => client.delete(`${path}/x`)),
    () => actor.attempt(`delete ${path}`, () => client.delete(path)),
    () =>
      actor.attempt(`multi ${path}`, () =>
        client.multi([
          { type: 'check', path },
          { type: 'setData', path, data: actor.value() },
        ]),
      ),
  ];
  return actor.pick(kinds)();
}

/** Open to all, or to users for some things only, and now and then for others to read. */
function aclFrom(actor: Actor): readonly Acl[] {
  if (actor.chance(0.2)) return OPEN_ACL;
  const owner = { perms: Permission.all, id: { scheme: 'digest', id: digestOf(actor.pick(USERS)) } };
  const perms = 1 + Math.floor(actor.random.next() * Permission.all);
  const id = actor.chance(0.3)
    ? { scheme: 'world', id: 'anyone' }
    : { scheme: 'digest', id: digestOf(actor.pick(USERS)) };
  return actor.chance(0.7) ? [owner, { perms, id }] : [{ perms, id }];
}

/** The id in an ACL of who authenticates with `user:pw`. */
function digestOf(user: User): string {
  return `${user}:${createHash('sha1').update(`${user}:pw`).digest('base64')}`;
}

export const ACL_PATHS: readonly string[] = ['/acl', ...PATHS];

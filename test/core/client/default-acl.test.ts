import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CREATOR_ACL, OPEN_ACL, type Acl } from '../../../core/client/index.js';
import { defaultAclOf, type DefaultAcl } from '../../../core/client/default-acl.js';

const auth = [{ scheme: 'digest', auth: 'shop:secret' }];
const readers: readonly Acl[] = [{ perms: 1, id: { scheme: 'digest', id: 'shop:hash' } }];

test('the default is open, and creator or a list take its place', () => {
  assert.is(defaultAclOf(undefined, { auth, tls: undefined }), OPEN_ACL);
  assert.is(defaultAclOf('open', { auth: undefined, tls: undefined }), OPEN_ACL);
  assert.is(defaultAclOf('creator', { auth, tls: undefined }), CREATOR_ACL);
  assert.is(defaultAclOf('creator', { auth: [], tls: {} }), CREATOR_ACL);
  assert.is(defaultAclOf(readers, { auth, tls: undefined }), readers);
});

test('an ACL that cannot be sent, and creator without an identity, are refused with what to give', () => {
  const refusal = (acl: unknown): string => {
    try {
      return JSON.stringify(defaultAclOf(acl as DefaultAcl, { auth: undefined, tls: undefined }));
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(refusal('creator'), /needs an identity of this client: give auth/);
  assert.match(refusal('everybody'), /'open', 'creator' or a list/);
  assert.match(refusal([]), /a list that is not empty/);
  assert.match(refusal([{ perms: 1 }]), /acl must be a list of \{ perms/);
});

test.run();

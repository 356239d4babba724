import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { declarationsOf, lockedMembersOf } from '../../framework/declarations.js';
import { Config } from '../../framework/decorators/config.js';
import { LeaderOnly } from '../../framework/decorators/leader-only.js';
import { Locked } from '../../framework/decorators/locked.js';
import { Service } from '../../framework/decorators/service.js';
import { Worker } from '../../framework/decorators/worker.js';

test('each class decorator records its options and leaves the class as it is', () => {
  const schema = { type: 'object' };
  @Config({ name: 'billing', schema })
  class BillingConfig {}
  @Service({ name: 'billing', port: 8080 })
  class BillingService {}
  @LeaderOnly({ name: 'close-books', cron: '0 3 * * *' })
  class CloseBooks {
    run(): void {}
  }
  @Worker({ queue: 'invoices', concurrency: 8 })
  class InvoiceWorker {
    handle(): void {}
  }

  assert.equal(declarationsOf(BillingConfig), [{ kind: 'config', options: { name: 'billing', schema } }]);
  assert.equal(declarationsOf(BillingService), [
    { kind: 'service', options: { name: 'billing', port: 8080 } },
  ]);
  assert.equal(declarationsOf(CloseBooks), [
    { kind: 'leader-only', options: { name: 'close-books', cron: '0 3 * * *' } },
  ]);
  assert.equal(declarationsOf(InvoiceWorker), [
    { kind: 'worker', options: { queue: 'invoices', concurrency: 8 } },
  ]);
  assert.equal(Object.keys(BillingService), []);
  assert.equal(Reflect.ownKeys(BillingService.prototype), ['constructor']);
});

test('a subclass does not inherit what its parent declares', () => {
  @Service({ name: 'parent' })
  class Parent {}
  class Child extends Parent {}

  assert.is(declarationsOf(Parent).length, 1);
  assert.equal(declarationsOf(Child), []);
});

test('several decorators of one class are recorded in the order of the source', () => {
  @Service({ name: 'first' })
  @Worker({ queue: 'second' })
  class Both {
    handle(): void {}
  }

  assert.equal(
    declarationsOf(Both).map(({ kind }) => kind),
    ['service', 'worker'],
  );
});

test('a locked method is recorded with its name and is not replaced', () => {
  class Books {
    @Locked('books', { wait: '5s' })
    async close(): Promise<string> {
      return 'closed';
    }
  }
  const [locked] = lockedMembersOf(Books);

  assert.is(locked?.member, 'close');
  assert.is(locked?.name, 'books');
  assert.is(locked?.isMethod, true);
  assert.equal(locked?.options, { wait: '5s' });
  assert.is(Books.prototype.close.name, 'close');
});

test('a locked method is inherited, until a subclass overrides it', () => {
  class Parent {
    @Locked('kept')
    async kept(): Promise<void> {}
    @Locked('dropped')
    async dropped(): Promise<void> {}
    @Locked('renamed')
    async renamed(): Promise<void> {}
  }
  class Child extends Parent {
    override async dropped(): Promise<void> {}
    @Locked('by the child')
    override async renamed(): Promise<void> {}
  }
  const names = lockedMembersOf(Child).map(({ member, name }) => `${String(member)}: ${String(name)}`);

  assert.equal(names.sort(), ['kept: kept', 'renamed: by the child']);
  assert.is(lockedMembersOf(Parent).length, 3);
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Container, inject, InjectionError, token } from '../../framework/container.js';

interface Mailer {
  send(text: string): void;
}

test('classes and tokens are injected without emitted metadata', () => {
  const MailerToken = token<Mailer>('Mailer');
  class Repository {}
  class Billing {
    constructor(
      @inject(Repository) readonly repository: Repository,
      @inject(MailerToken) readonly mailer: Mailer,
    ) {}
  }
  Reflect.deleteMetadata('design:paramtypes', Billing);
  const mailer = { send: () => undefined };
  const container = new Container();
  container.provide(MailerToken, mailer);

  const billing = container.get(Billing);

  assert.instance(billing.repository, Repository);
  assert.is(billing.mailer, mailer);
});

test('there is one instance of each class in a container, and none is shared between two', () => {
  class Repository {}
  class Billing {
    constructor(@inject(Repository) readonly repository: Repository) {}
  }
  const [one, other] = [new Container(), new Container()];

  assert.is(one.get(Billing).repository, one.get(Repository));
  assert.is.not(one.get(Repository), other.get(Repository));
});

test('a parameter with a default is left alone, whatever its type', () => {
  class Repository {}
  class Billing {
    constructor(
      @inject(Repository) readonly repository: Repository,
      readonly limit = 5,
    ) {}
  }
  assert.is(new Container().get(Billing).limit, 5);
});

test('a subclass without a constructor gets what its parent needs', () => {
  class Repository {}
  class Parent {
    constructor(@inject(Repository) readonly repository: Repository) {}
  }
  class Child extends Parent {}
  assert.instance(new Container().get(Child).repository, Repository);
});

test('whoever builds an instance sees it before anybody else', () => {
  const seen: string[] = [];
  class Inner {}
  class Outer {
    constructor(@inject(Inner) readonly inner: Inner) {
      seen.push('Outer constructed');
    }
  }
  new Container((_instance, target) => seen.push(`${target.name} built`)).get(Outer);
  assert.equal(seen, ['Inner built', 'Outer constructed', 'Outer built']);
});

test('a constructor that throws is reported with the chain that led to it, and with its cause', () => {
  const failure = new Error('no route to host');
  class Database {
    constructor() {
      throw failure;
    }
  }
  class Repository {
    constructor(@inject(Database) readonly database: Database) {}
  }
  class Billing {
    constructor(@inject(Repository) readonly repository: Repository) {}
  }
  try {
    new Container().get(Billing);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, InjectionError);
    const { message, cause, code } = error as InjectionError;
    assert.is(
      message,
      'cannot build Billing (parameter 0) → Repository (parameter 0) → Database: no route to host',
    );
    assert.is(cause, failure);
    assert.is(code, 'INJECTION_FAILED');
  }
});

test('a token without a value is reported with the chain', () => {
  const MailerToken = token<Mailer>('Mailer');
  class Billing {
    constructor(@inject(MailerToken) readonly mailer: Mailer) {}
  }
  assert.throws(
    () => new Container().get(Billing),
    (error: Error) => error.message.startsWith('cannot build Billing (parameter 0) → Mailer: '),
  );
});

test.run();

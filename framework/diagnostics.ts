import { channel } from 'node:diagnostics_channel';
import type { ApplicationEvent, ApplicationEventType, EventHub } from './events.js';

/** What subscribers of a channel are given. */
export interface DiagnosticsMessage<Event extends ApplicationEvent = ApplicationEvent> {
  /** Of the application that the event is about. */
  readonly application: string;
  readonly event: Event;
}

/** Name of the channel of `node:diagnostics_channel` on which events of a type are published; `*`: all of them. */
export function diagnosticsChannel<Type extends ApplicationEventType | '*'>(type: Type): `quorate:${Type}` {
  return `quorate:${type}`;
}

/** Publishes every event on its own channel and on that of all; without a subscriber it costs nothing but the look-up. */
export function publishDiagnostics(events: EventHub, application: string): void {
  const all = channel(diagnosticsChannel('*'));
  events.on('*', (event) => {
    const own = channel(diagnosticsChannel(event.type));
    for (const to of [own, all]) if (to.hasSubscribers) to.publish({ application, event });
  });
}

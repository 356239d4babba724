/** What both say to each of the known steps, by the heading in DIFFERENCES.md. */
export const KNOWN_ANSWERS: Readonly<
  Record<string, { readonly theirs: readonly string[]; readonly ours: readonly string[] }>
> = {
  'A request without a path': {
    theirs: [
      '0: reply 2 +2 ok {"children":["r","zookeeper"]}',
      '0: reply 3 +2 ok {} and 4 bytes',
      '0: reply 4 +3 badArguments',
    ],
    ours: ['0: reply 2 +2 noNode', '0: reply 3 +2 badArguments', '0: reply 4 +3 badArguments'],
  },
  '`exists` needs READ': {
    theirs: [
      '0: reply 2 +3 ok {"path":"/r/x"}',
      '0: reply 3 +3 ok {"stat":"+3 +3 +3 v 0 0 0 nobody 1 bytes 0 children "}',
    ],
    ours: ['0: reply 2 +3 ok {"path":"/r/x"}', '0: reply 3 +3 noAuth'],
  },
  'One client, several kinds of watches at one path': {
    theirs: [
      '0: reply 2 +2 ok {} and 4 bytes',
      '0: reply 3 +2 ok {"data":"some data","stat":"+2 +2 +2 v 0 0 0 nobody 9 bytes 0 children "}',
      '0: event dataChanged /r',
      '0: reply 4 +3 ok {"stat":"+2 +3 +2 v 1 0 0 nobody 4 bytes 0 children "}',
      '0: reply 5 +4 ok {"stat":"+2 +4 +2 v 2 0 0 nobody 5 bytes 0 children "}',
      '0: reply 6 +4 ok {} and 4 bytes',
      '0: event created /r/x',
      '0: reply 7 +5 ok {"path":"/r/x"}',
      '0: reply 8 +5 ok {}',
    ],
    ours: [
      '0: reply 2 +2 ok {} and 4 bytes',
      '0: reply 3 +2 ok {"data":"some data","stat":"+2 +2 +2 v 0 0 0 nobody 9 bytes 0 children "}',
      '0: event dataChanged /r',
      '0: reply 4 +3 ok {"stat":"+2 +3 +2 v 1 0 0 nobody 4 bytes 0 children "}',
      '0: event dataChanged /r',
      '0: reply 5 +4 ok {"stat":"+2 +4 +2 v 2 0 0 nobody 5 bytes 0 children "}',
      '0: reply 6 +4 ok {} and 4 bytes',
      '0: event created /r/x',
      '0: event childrenChanged /r',
      '0: reply 7 +5 ok {"path":"/r/x"}',
      '0: reply 8 +5 noWatcher',
    ],
  },
  "Somebody else's watch": {
    theirs: [
      '1: connected 0 10000 session 2 16 bytes false',
      '1: reply 1 +3 ok {"data":"some data","stat":"+2 +2 +2 v 0 0 0 nobody 9 bytes 0 children "}',
      '0: reply 2 +3 ok {}',
      '0: reply 3 +3 noWatcher',
      '1: event dataChanged /r',
      '1: reply 2 +4 ok {"stat":"+2 +4 +2 v 1 0 0 nobody 1 bytes 0 children "}',
    ],
    ours: [
      '1: connected 0 10000 session 2 16 bytes false',
      '1: reply 1 +3 ok {"data":"some data","stat":"+2 +2 +2 v 0 0 0 nobody 9 bytes 0 children "}',
      '0: reply 2 +3 noWatcher',
      '0: reply 3 +3 noWatcher',
      '1: event dataChanged /r',
      '1: reply 2 +4 ok {"stat":"+2 +4 +2 v 1 0 0 nobody 1 bytes 0 children "}',
    ],
  },
  'What was missed of a znode that may not be read': {
    theirs: [
      '0: reply 2 +3 ok {"path":"/r/x"}',
      '0: event dataChanged /r/x',
      '0: event created /r/x',
      '0: event childrenChanged /r/x',
      '0: reply 3 +3 ok {}',
    ],
    ours: ['0: reply 2 +3 ok {"path":"/r/x"}', '0: reply 3 +3 ok {}'],
  },
  'IPv6 addresses in `ip` ACLs': {
    theirs: ['0: reply 2 +3 invalidAcl'],
    ours: ['0: reply 2 +3 ok {"path":"/r/x"}'],
  },
  'Watch types 4 and 5': {
    theirs: ['0: reply 2 +2 marshallingError', '0: reply 3 +2 marshallingError'],
    ours: ['0: reply 2 +2 noWatcher', '0: reply 3 +2 noWatcher'],
  },
  'The timeout of a session': {
    theirs: ['0: connected 0 30000 session 1 16 bytes false', '0: connected 0 5000 session 1 16 bytes false'],
    ours: ['0: connected 0 10000 session 1 16 bytes false', '0: connected 0 5000 session 1 16 bytes false'],
  },
  '`create2` inside a multi': {
    theirs: ['0: reply 2 +3 ok {"results":[{"reply":{"op":1,"body":{"path":"/r/x"}}}]}'],
    ours: [
      '0: reply 2 +3 ok {"results":[{"reply":{"op":15,"body":{"path":"/r/x","stat":"+3 +3 +3 v 0 0 0 nobody 1 bytes 0 children "}}}]}',
    ],
  },
  'A time to live where there is no place for it': {
    theirs: [
      '0: reply 2 +2 marshallingError',
      '0: reply 3 +3 ok {"results":[{"reply":{"op":1,"body":{"path":"/r/x"}}}]}',
    ],
    ours: ['0: reply 2 +3 ok {"results":[{"error":-8}]}', '0: reply 3 +4 ok {"results":[{"error":-8}]}'],
  },
  'Usage of a quota': {
    theirs: [
      '0: reply 2 +3 ok {"path":"/zookeeper/quota/r"}',
      '0: reply 3 +4 ok {"path":"/zookeeper/quota/r/zookeeper_limits"}',
      '0: reply 4 +4 marshallingError',
      '0: reply 5 +5 ok {"stat":"+4 +5 +4 v 1 0 0 nobody 52 bytes 0 children "}',
      '0: reply 6 +6 ok {"path":"/r/x2"}',
      '0: reply 7 +7 ok {"path":"/zookeeper/quota/r/zookeeper_stats"}',
      '0: reply 8 +8 ok {"stat":"+4 +8 +4 v 2 0 0 nobody 52 bytes 0 children "}',
      '0: reply 9 +9 quotaExceeded',
    ],
    ours: [
      '0: reply 2 +3 ok {"path":"/zookeeper/quota/r"}',
      '0: reply 3 +4 ok {"path":"/zookeeper/quota/r/zookeeper_limits"}',
      '0: reply 4 +5 ok {"path":"/r/x"}',
      '0: reply 5 +6 ok {"stat":"+4 +6 +4 v 1 0 0 nobody 52 bytes 0 children "}',
      '0: reply 6 +7 quotaExceeded',
      '0: reply 7 +8 ok {"path":"/zookeeper/quota/r/zookeeper_stats"}',
      '0: reply 8 +9 ok {"stat":"+4 +9 +4 v 2 0 0 nobody 52 bytes 0 children "}',
      '0: reply 9 +10 ok {"stat":"+2 +10 +5 v 1 1 0 nobody 4 bytes 1 children "}',
    ],
  },
};

import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.imps.EnsembleTracker;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.schema.Schema;
import org.apache.curator.framework.schema.SchemaSet;
import org.apache.curator.framework.schema.SchemaViolation;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.apache.zookeeper.server.quorum.flexible.QuorumMaj;

/** What the framework adds to a client: namespaces, permissions, schemas, the ensemble's configuration. */
final class Framework {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("namespace", Framework::namespace);
    scenarios.put("chroot", Framework::chroot);
    scenarios.put("acl", (Conformance.Alone) Framework::acl);
    scenarios.put("acl-provider", Framework::aclProvider);
    scenarios.put("schema", Framework::schema);
    scenarios.put("ensemble-config", Framework::config);
  }

  private static void namespace(Stage stage) throws Exception {
    var plain = stage.client();
    var name = stage.root.substring(1) + "/inner";
    var client = stage.start(stage.builder().namespace(name).build());
    var events = new Events();
    client.create().creatingParentsIfNeeded().forPath("/a/b", Stage.bytes("1"));
    stage.say("outside: %s", Stage.children(plain, stage.root + "/inner"));
    stage.say("outside: %s", Stage.stat(plain, stage.root + "/inner/a/b") != null);
    client.getData().usingWatcher((org.apache.zookeeper.Watcher) (event) -> events.add("%s %s", event.getType(), event.getPath())).forPath("/a/b");
    plain.setData().forPath(stage.root + "/inner/a/b", Stage.bytes("2"));
    stage.say("told: %s", events.next());
    stage.say("error", () -> client.getData().forPath("/none"));
    stage.say("another: %s", client.usingNamespace(stage.root.substring(1) + "/other").create().forPath("/c"));
    stage.say("none: %s", client.usingNamespace(null).checkExists().forPath(stage.root + "/other/c") != null);
    var mutex = new InterProcessMutex(client, "/lock");
    mutex.acquire();
    stage.say("a lock: %s", Stage.children(plain, stage.root + "/inner/lock"));
    mutex.release();
    stage.say("sequence: %s", client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/s-"));
  }

  /** The client of ZooKeeper itself cuts the prefix. */
  private static void chroot(Stage stage) throws Exception {
    var plain = stage.client();
    plain.create().forPath(stage.root + "/below");
    var client = stage.start(stage.builder().connectString(stage.connect() + stage.root + "/below").build());
    var events = new Events();
    client.watchers().add().usingWatcher((org.apache.zookeeper.Watcher) (event) -> events.add("%s %s", event.getType(), event.getPath())).forPath("/");
    stage.say("created", () -> client.create().creatingParentsIfNeeded().forPath("/a/b"));
    stage.say("told: %s", events.next(2));
    stage.say("outside: %s", Stage.children(plain, stage.root + "/below/a"));
    stage.say("children: %s", Stage.children(client, "/"));
    stage.say("error", () -> client.getData().forPath("/none"));
    stage.say("results: %s", client.transaction().forOperations(client.transactionOp().create().forPath("/c")).get(0).getResultPath());
  }

  private static void acl(Stage stage) throws Exception {
    var path = stage.root + "/secret";
    var owner = stage.start(stage.builder().authorization("digest", Stage.bytes("owner:word")).build());
    var stranger = stage.client();
    owner.create().withACL(Ids.CREATOR_ALL_ACL).forPath(path, Stage.bytes("1"));
    Stage.catchUp(stranger);
    stage.say("acl", () -> show(owner.getACL().forPath(path)));
    stage.say("owner reads", () -> owner.getData().forPath(path));
    stage.say("stranger reads", () -> stranger.getData().forPath(path));
    stage.say("stranger writes", () -> stranger.setData().forPath(path, Stage.bytes("2")));
    stage.say("stranger lists", () -> stranger.getChildren().forPath(path));
    stage.say("stranger creates", () -> stranger.create().forPath(path + "/child"));
    stage.say("stranger reads the ACL", () -> stranger.getACL().forPath(path));
    stage.say("stranger sees that it exists", () -> stranger.checkExists().forPath(path));
    owner.create().forPath(path + "/child");
    stage.say("stranger deletes", () -> Watches.done(() -> stranger.delete().forPath(path + "/child")));
    stage.say("stranger without an identity", () -> stranger.create().withACL(Ids.CREATOR_ALL_ACL).forPath(stage.root + "/a"));
    stage.say("no ACL", () -> stranger.create().withACL(List.of(new ACL(Perms.ALL, new Id("unknown", "x")))).forPath(stage.root + "/a"));
    var digest = DigestAuthenticationProvider.generateDigest("reader:pass");
    var acls = new ArrayList<ACL>(Ids.CREATOR_ALL_ACL);
    acls.add(new ACL(Perms.READ, new Id("digest", digest)));
    stage.say("set", () -> owner.setACL().withVersion(0).withACL(acls).forPath(path));
    stage.say("set with an old version", () -> owner.setACL().withVersion(0).withACL(acls).forPath(path));
    var reader = stage.start(stage.builder().authorization("digest", Stage.bytes("reader:pass")).build());
    stage.say("reader reads", () -> reader.getData().forPath(path));
    stage.say("reader writes", () -> reader.setData().forPath(path, Stage.bytes("3")));
    stage.say("reader sees the ACL", () -> show(reader.getACL().forPath(path)));
    stage.say("in a transaction", () -> stranger.transaction().forOperations(stranger.transactionOp().setData().forPath(path)));
    // Identities are given again on a new connection.
    Stage.ask("cut");
    Sessions.reconnected(owner);
    stage.say("owner reads", () -> owner.getData().forPath(path));
    var superuser = stage.start(stage.builder().authorization("digest", Stage.bytes("super:admin")).build());
    stage.say("super reads", () -> superuser.getData().forPath(path));
  }

  private static void aclProvider(Stage stage) throws Exception {
    var provider =
        new ACLProvider() {
          @Override
          public List<ACL> getDefaultAcl() {
            return Ids.CREATOR_ALL_ACL;
          }

          @Override
          public List<ACL> getAclForPath(String path) {
            return path.endsWith("open") ? Ids.OPEN_ACL_UNSAFE : Ids.CREATOR_ALL_ACL;
          }
        };
    var client = stage.start(stage.builder().authorization("digest", Stage.bytes("owner:word")).aclProvider(provider).build());
    client.create().creatingParentsIfNeeded().forPath(stage.root + "/closed/open");
    stage.say("closed", () -> show(client.getACL().forPath(stage.root + "/closed")));
    stage.say("open", () -> show(client.getACL().forPath(stage.root + "/closed/open")));
    var stranger = stage.client();
    stage.say("stranger reads", () -> stranger.getData().forPath(stage.root + "/closed/open").length > 0);
    stage.say("stranger lists", () -> stranger.getChildren().forPath(stage.root + "/closed"));
    stage.say("stranger deletes", () -> Watches.done(() -> stranger.delete().forPath(stage.root + "/closed/open")));
  }

  private static void schema(Stage stage) throws Exception {
    var schema =
        Schema.builder(stage.root + "/short")
            .dataValidator((schemaOf, path, data, acl) -> data.length < 5)
            .ephemeral(Schema.Allowance.CANNOT)
            .canBeDeleted(false)
            .name("short")
            .build();
    var client = stage.start(stage.builder().schemaSet(new SchemaSet(List.of(schema), true)).build());
    var path = SchemaSet.getNamedPath(client, "short");
    stage.say("too long", () -> client.create().forPath(path, Stage.bytes("too long")));
    stage.say("ephemeral", () -> client.create().withMode(CreateMode.EPHEMERAL).forPath(path, Stage.bytes("1")));
    stage.say("created", () -> client.create().forPath(path, Stage.bytes("1")));
    stage.say("deleted", () -> Watches.done(() -> client.delete().forPath(path)));
    stage.say("data", () -> client.getData().forPath(path));
    stage.say("violation: %s", SchemaViolation.class.getSimpleName());
  }

  /** The znode with the members of the ensemble, and who follows it. */
  private static void config(Stage stage) throws Exception {
    var client = stage.client();
    var properties = new Properties();
    properties.load(new ByteArrayInputStream(client.getConfig().forEnsemble()));
    var roles = new TreeMap<>(properties);
    // What stands before the role is an address.
    roles.replaceAll((name, value) -> value.toString().replaceAll(".*:", ""));
    stage.say("configuration: %s", roles);
    stage.say("the znode is the same", () -> new String(client.getData().forPath("/zookeeper/config")).equals(new String(client.getConfig().forEnsemble())));
    stage.say("acl", () -> show(client.getACL().forPath("/zookeeper/config")));
    stage.say("a write", () -> client.setData().forPath("/zookeeper/config", Stage.bytes("1")));
    stage.say("reconfiguration", () -> client.reconfig().leaving("7").forEnsemble());
    stage.say("where its members take clients in: '%s'", EnsembleTracker.configToConnectionString(new QuorumMaj(properties)));
    var tracked = stage.start(stage.builder().ensembleTracker(true).build());
    stage.say("sync", () -> Watches.done(() -> tracked.sync().forPath(stage.root)));
  }

  private static String show(List<ACL> list) {
    return list.stream().map((acl) -> acl.getPerms() + " " + acl.getId().getScheme() + ":" + acl.getId().getId()).toList().toString();
  }
}

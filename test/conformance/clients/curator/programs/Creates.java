import java.util.Map;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.data.Stat;

/** Single operations: modes of creation, reads, writes, deletions, their options and their errors. */
final class Creates {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("create-modes", Creates::modes);
    scenarios.put("create-options", Creates::options);
    scenarios.put("create-protected", (Conformance.Alone) Creates::protection);
    scenarios.put("containers-and-ttl", Creates::reaped);
    scenarios.put("read-write-delete", Creates::readWriteDelete);
    scenarios.put("errors", Creates::errors);
    scenarios.put("background", Creates::background);
  }

  private static void modes(Stage stage) throws Exception {
    var client = stage.client();
    for (var mode : CreateMode.values()) {
      var path = stage.root + "/" + mode + (mode.isSequential() ? "-" : "");
      for (var round = 0; round < 2; round++) {
        stage.say("" + mode, () -> {
          var create = client.create();
          return mode.isTTL()
              ? create.withTtl(60_000).withMode(mode).forPath(path)
              : create.withMode(mode).forPath(path);
        });
      }
    }
    for (var child : Stage.children(client, stage.root)) {
      stage.say(child, () -> client.checkExists().forPath(stage.root + "/" + child));
    }
    stage.say("root", () -> client.checkExists().forPath(stage.root));
    stage.say("below an ephemeral", () -> client.create().forPath(stage.root + "/EPHEMERAL/child"));
    client.close();
    stage.say("left: %s", Stage.children(stage.client(), stage.root));
  }

  private static void options(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    stage.say("with parents", () -> client.create().creatingParentsIfNeeded().forPath(root + "/a/b/c"));
    stage.say("with containers", () -> client.create().creatingParentContainersIfNeeded().forPath(root + "/d/e/f"));
    stage.say("a container", () -> client.checkExists().forPath(root + "/d/e"));
    var stat = new Stat();
    stage.say("with its stat", () -> client.create().storingStatIn(stat).forPath(root + "/g", Stage.bytes("1")));
    stage.say("it: %s", Stage.shown(stat));
    stage.say("or set", () -> client.create().orSetData().forPath(root + "/g", Stage.bytes("2")));
    stage.say("or set with a version", () -> client.create().orSetData(1).forPath(root + "/g", Stage.bytes("3")));
    stage.say("or set with an old version", () -> client.create().orSetData(1).forPath(root + "/g", Stage.bytes("4")));
    stage.say("data", () -> client.getData().storingStatIn(stat).forPath(root + "/g"));
    stage.say("it: %s", Stage.shown(stat));
    stage.say("idempotent", () -> client.create().idempotent().forPath(root + "/g", Stage.bytes("3")));
    stage.say("without data", () -> client.create().forPath(root + "/h", new byte[0]));
    stage.say("data", () -> client.getData().forPath(root + "/h"));
    stage.say("default data", () -> client.create().forPath(root + "/i"));
    stage.say("data", () -> client.getData().forPath(root + "/i"));
    stage.say("compressed", () -> client.create().compressed().forPath(root + "/j", Stage.bytes("packed ".repeat(100))));
    stage.say("unpacked: %s", client.getData().decompressed().forPath(root + "/j").length);
    stage.say("packed: %s", client.getData().forPath(root + "/j").length < 100);
    client.createContainers(root + "/k/l");
    stage.say("containers", () -> client.checkExists().forPath(root + "/k/l"));
    stage.say("exists, with parents", () -> client.checkExists().creatingParentsIfNeeded().forPath(root + "/m/n/o"));
    stage.say("made them: %s", Stage.children(client, root + "/m"));
  }

  private static void protection(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    stage.say("protected", () -> client.create().withProtection().forPath(root + "/a"));
    stage.say(
        "protected and ephemeral",
        () -> client.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(root + "/b-"));
    stage.say(
        "with parents",
        () -> client.create().creatingParentsIfNeeded().withProtection().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(root + "/c/d-"));
    // The connection breaks while it is created: whatever became of the first attempt, there is one.
    for (var round = 0; round < 3; round++) {
      var path = root + "/e-" + round;
      var creating = stage.beside(() -> client.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path));
      Stage.ask("cut");
      Stage.result(creating);
      Stage.until("the client is back", () -> Sessions.works(client, root));
    }
    stage.say("children: %s", Stage.children(client, root).stream().map((name) -> name.replaceAll("\\d{10}$", "<n>").replaceAll("^_c_.{36}-", "")).sorted().toList());
  }

  /** Empty containers and untouched TTL znodes go by themselves. */
  private static void reaped(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    client.create().withMode(CreateMode.CONTAINER).forPath(root + "/never-used");
    client.create().withMode(CreateMode.CONTAINER).forPath(root + "/container");
    client.create().forPath(root + "/container/child");
    client.create().withTtl(400).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(root + "/ttl");
    client.create().withTtl(400).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(root + "/ttl-with-child");
    client.create().withTtl(60_000).withMode(CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL).forPath(root + "/ttl-child-");
    client.create().forPath(root + "/ttl-with-child/child");
    Stage.until("the TTL znode goes", () -> client.checkExists().forPath(root + "/ttl") == null);
    stage.say("left: %s", Stage.children(client, root));
    client.delete().forPath(root + "/ttl-with-child/child");
    client.delete().forPath(root + "/container/child");
    Stage.until("the emptied container goes", () -> client.checkExists().forPath(root + "/container") == null);
    Stage.until("the emptied TTL znode goes", () -> client.checkExists().forPath(root + "/ttl-with-child") == null);
    stage.say("left: %s", Stage.children(client, root));

    var recipes = stage.start(CuratorFrameworkFactory.newClient(stage.connect(), new RetryOneTime(100)));
    var mutex = new InterProcessMutex(recipes, root + "/recipe/mutex");
    mutex.acquire();
    stage.say("in use: %s", Stage.children(client, root + "/recipe/mutex"));
    mutex.release();
    Stage.until("what a recipe made goes when nobody is in it", () -> client.checkExists().forPath(root + "/recipe") == null);
  }

  private static void readWriteDelete(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    client.create().creatingParentsIfNeeded().forPath(root + "/a/b/c", Stage.bytes("1"));
    stage.say("set", () -> client.setData().forPath(root + "/a", Stage.bytes("ä€😀")));
    stage.say("data", () -> client.getData().forPath(root + "/a"));
    stage.say("set with a version", () -> client.setData().withVersion(1).forPath(root + "/a", Stage.bytes("3")));
    stage.say("set with an old version", () -> client.setData().withVersion(1).forPath(root + "/a", Stage.bytes("4")));
    stage.say("set idempotently", () -> client.setData().idempotent().withVersion(1).forPath(root + "/a", Stage.bytes("3")));
    stage.say("exists", () -> client.checkExists().forPath(root + "/a"));
    stage.say("does not", () -> client.checkExists().forPath(root + "/none"));
    var stat = new Stat();
    stage.say("children", () -> client.getChildren().storingStatIn(stat).forPath(root + "/a"));
    stage.say("stat: %s", Stage.shown(stat));
    stage.say("delete what is not empty", () -> Watches.done(() -> client.delete().forPath(root + "/a")));
    stage.say("delete with an old version", () -> Watches.done(() -> client.delete().withVersion(4).forPath(root + "/a/b/c")));
    stage.say("delete", () -> Watches.done(() -> client.delete().withVersion(0).forPath(root + "/a/b/c")));
    stage.say("delete again", () -> Watches.done(() -> client.delete().forPath(root + "/a/b/c")));
    stage.say("quietly", () -> Watches.done(() -> client.delete().quietly().forPath(root + "/a/b/c")));
    stage.say("guaranteed", () -> Watches.done(() -> client.delete().guaranteed().forPath(root + "/a/b")));
    client.create().creatingParentsIfNeeded().forPath(root + "/a/d/e/f");
    stage.say("with children", () -> Watches.done(() -> client.delete().guaranteed().deletingChildrenIfNeeded().forPath(root + "/a")));
    stage.say("left: %s", Stage.children(client, root));
    client.create().forPath(root + "/large", new byte[1_000_000]);
    stage.say("large: %d", client.getData().forPath(root + "/large").length);
    for (var child = 0; child < 200; child++) client.create().creatingParentsIfNeeded().forPath(root + "/many/" + child);
    stage.say("many: %d", Stage.children(client, root + "/many").size());
  }

  private static void errors(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    stage.say("create below nothing", () -> client.create().forPath(root + "/none/child"));
    stage.say("create twice", () -> client.create().forPath(root));
    stage.say("read", () -> client.getData().forPath(root + "/none"));
    stage.say("list", () -> client.getChildren().forPath(root + "/none"));
    stage.say("write", () -> client.setData().forPath(root + "/none"));
    stage.say("permissions", () -> client.getACL().forPath(root + "/none"));
    stage.say("a bad path", () -> client.create().forPath(root + "//a"));
    stage.say("a relative path", () -> client.create().forPath("a"));
    stage.say("a path with dots", () -> client.create().forPath(root + "/../a"));
    stage.say("delete the root", () -> Watches.done(() -> client.delete().forPath("/")));
    stage.say("create the root", () -> client.create().forPath("/"));
    stage.say("delete a system znode", () -> Watches.done(() -> client.delete().forPath("/zookeeper/quota")));
    stage.say("a TTL of nothing", () -> client.create().withTtl(0).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(root + "/a"));
    stage.say("a TTL without end", () -> client.create().withTtl(Long.MAX_VALUE).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(root + "/a"));
    stage.say("system znodes: %s", Stage.children(client, "/zookeeper"));
    client.close();
    stage.say("closed", () -> client.getData().forPath(root));
  }

  private static void background(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    var events = new Events();
    org.apache.curator.framework.api.BackgroundCallback tell = (framework, event) -> events.add("%s", show(event));
    client.create().inBackground(tell, "one").forPath(root + "/a", Stage.bytes("1"));
    client.create().inBackground(tell).forPath(root + "/a");
    client.create().creatingParentsIfNeeded().inBackground(tell).forPath(root + "/b/c");
    stage.say("%s", events.nextInAnyOrder(3));
    client.checkExists().inBackground(tell).forPath(root + "/a");
    client.checkExists().inBackground(tell).forPath(root + "/none");
    client.getData().inBackground(tell).forPath(root + "/a");
    client.getData().inBackground(tell).forPath(root + "/none");
    client.setData().inBackground(tell).forPath(root + "/a", Stage.bytes("2"));
    client.setData().withVersion(0).inBackground(tell).forPath(root + "/a", Stage.bytes("3"));
    client.getChildren().inBackground(tell).forPath(root + "/b");
    client.getACL().inBackground(tell).forPath(root + "/a");
    client.sync().inBackground(tell).forPath(root + "/a");
    client.delete().inBackground(tell).forPath(root + "/b");
    client.delete().inBackground(tell).forPath(root + "/a");
    client.delete().inBackground(tell).forPath(root + "/a");
    for (var event : events.next(12)) stage.say("%s", event);
    var listened = new Events();
    client.getCuratorListenable().addListener((framework, event) -> {
      if (event.getPath() != null) listened.add("%s", show(event));
    });
    client.getData().watched().inBackground().forPath(root + "/b");
    stage.say("%s", listened.next());
    client.setData().inBackground("context").forPath(root + "/b", Stage.bytes("4"));
    stage.say("%s", listened.nextInAnyOrder(2));
  }

  private static String show(CuratorEvent event) {
    return event.getType()
        + " "
        + event.getResultCode()
        + " "
        + event.getPath()
        + (event.getName() == null ? "" : " name " + event.getName())
        + (event.getData() == null ? "" : " data " + event.getData().length)
        + (event.getChildren() == null ? "" : " children " + event.getChildren())
        + (event.getStat() == null ? "" : " (" + Stage.shown(event.getStat()) + ")")
        + (event.getACLList() == null ? "" : " ACL " + event.getACLList().size())
        + (event.getContext() == null ? "" : " context " + event.getContext());
  }
}

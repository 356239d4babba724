import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.zookeeper.CreateMode;

/** Znodes that are kept: PersistentNode, PersistentTtlNode, GroupMember. */
final class Nodes {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("persistent-node", Nodes::ephemeral);
    scenarios.put("persistent-node-sequential", Nodes::sequential);
    scenarios.put("persistent-node-lost", Nodes::lost);
    scenarios.put("persistent-ttl-node", Nodes::ttl);
    scenarios.put("group-member", Nodes::groupMember);
  }

  /** Whoever deletes it, it comes back. */
  private static void ephemeral(Stage stage) throws Exception {
    var path = stage.root + "/parents/are/made/node";
    var other = stage.client();
    var events = new Events();
    var node = new PersistentNode(stage.client(), CreateMode.EPHEMERAL, false, path, Stage.bytes("1"));
    node.getListenable().addListener((created) -> events.add("created %s", created));
    node.start();
    stage.say("%s", events.next());
    stage.say("first: %s", node.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    stage.say("stat", () -> Stage.stat(other, path));
    for (var round = 0; round < 3; round++) {
      other.delete().forPath(path);
      Stage.until("it is there again", () -> Stage.stat(other, path) != null);
      stage.say("%s", events.next());
    }
    node.setData(Stage.bytes("2"));
    Stage.until("the data is written", () -> new String(other.getData().forPath(path)).equals("2"));
    other.delete().forPath(path);
    stage.say("%s", events.next());
    Stage.catchUp(other);
    stage.say("data", () -> other.getData().forPath(path));
    node.close();
    stage.say("closed", () -> Stage.stat(other, path));
  }

  private static void sequential(Stage stage) throws Exception {
    var other = stage.client();
    var node =
        new PersistentNode(
            stage.client(), CreateMode.PERSISTENT_SEQUENTIAL, true, stage.root + "/node-", Stage.bytes("1"));
    node.start();
    node.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    var path = node.getActualPath();
    stage.say("protected: %s", path);
    other.delete().forPath(path);
    Stage.until("it is there again", () -> Stage.stat(other, path) != null);
    stage.say("the same: %s", path.equals(node.getActualPath()));
    node.close();
    stage.say("left: %s", Stage.children(other, stage.root));
  }

  private static void lost(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var unlucky = stage.client();
    var other = stage.client();
    var events = new Events();
    var node = stage.open(new PersistentNode(unlucky, CreateMode.EPHEMERAL, true, path, Stage.bytes("1")));
    node.getListenable().addListener((created) -> events.add("created"));
    node.start();
    stage.say("%s", events.next());
    var before = Stage.stat(other, node.getActualPath()).getEphemeralOwner();
    stage.endSession(unlucky);
    stage.say("%s", events.next());
    var after = Stage.stat(other, node.getActualPath()).getEphemeralOwner();
    stage.say("of another session: %s", before != after);
    stage.say("znodes: %s", Stage.children(other, stage.root));
  }

  /** Lives as long as it is touched, and a little longer. */
  private static void ttl(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var other = stage.client();
    var node = new PersistentTtlNode(stage.client(), path, 1_500, Stage.bytes("1"));
    node.start();
    stage.say("first: %s", node.waitForInitialCreate(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS));
    Stage.catchUp(other);
    stage.say("data", () -> other.getData().forPath(path));
    Stage.until("the touched child is there", () -> Stage.stat(other, path + "/touch") != null);
    stage.say("children: %s", Stage.children(other, path));
    Stage.until("it is touched", () -> Stage.stat(other, path + "/touch").getVersion() > 2);
    node.close();
    Stage.until("it is gone", () -> Stage.stat(other, path) == null);
    stage.say("left: %s", Stage.children(other, stage.root));
  }

  private static void groupMember(Stage stage) throws Exception {
    var path = stage.root + "/group";
    var lucky = stage.client();
    var unlucky = stage.client();
    var a = stage.open(new GroupMember(lucky, path, "a", Stage.bytes("of a")));
    var b = stage.open(new GroupMember(unlucky, path, "b"));
    a.start();
    b.start();
    Stage.until("b knows that it is there", () -> isSet(b, "of b"));
    Stage.until("both see both", () -> members(a).equals("a='of a' b='of b' ") && members(b).equals(members(a)));
    stage.say("members: %s", members(a));
    stage.endSession(unlucky);
    Stage.until("b is back", () -> lucky.getChildren().forPath(path).size() == 2 && members(a).equals("a='of a' b='of b' "));
    stage.say("znodes: %s", Stage.children(lucky, path));
    b.close();
    Stage.until("b has left", () -> !members(a).contains("b="));
    stage.say("members: %s", members(a));
    stage.say("stat", () -> Stage.stat(lucky, path + "/a"));
  }

  private static boolean isSet(GroupMember member, String data) {
    try {
      member.setThisData(Stage.bytes(data));
      return true;
    } catch (IllegalStateException notYetCreated) {
      return false;
    }
  }

  private static String members(GroupMember member) {
    var shown = new StringBuilder();
    new TreeMap<>(member.getCurrentMembers())
        .forEach((id, data) -> shown.append(id).append('=').append(Stage.shown(data)).append(' '));
    return shown.toString();
  }
}

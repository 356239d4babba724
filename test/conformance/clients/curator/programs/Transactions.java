import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.OpResult;

/** Several changes at once. */
@SuppressWarnings("deprecation")
final class Transactions {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("transaction", Transactions::transaction);
    scenarios.put("transaction-refused", Transactions::refused);
    scenarios.put("transaction-background", Transactions::background);
    scenarios.put("transaction-old", Transactions::old);
  }

  private static void transaction(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    var op = client.transactionOp();
    stage.say(
        "results: %s",
        show(
            client
                .transaction()
                .forOperations(
                    op.create().forPath(root + "/a", Stage.bytes("1")),
                    op.create().withMode(CreateMode.EPHEMERAL).forPath(root + "/b"),
                    op.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(root + "/c-", Stage.bytes("2")),
                    op.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(root + "/c-"),
                    op.create().withMode(CreateMode.CONTAINER).forPath(root + "/d"),
                    op.create().withTtl(60_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(root + "/e"),
                    op.check().withVersion(0).forPath(root + "/a"),
                    op.setData().withVersion(0).forPath(root + "/a", Stage.bytes("3")),
                    op.setData().forPath(root + "/a", Stage.bytes("4")),
                    op.create().forPath(root + "/a/child"),
                    op.delete().forPath(root + "/a/child"),
                    op.check().withVersion(2).forPath(root + "/a"),
                    op.delete().withVersion(2).forPath(root + "/a"))));
    stage.say("children: %s", Stage.children(client, root));
    stage.say("stat", () -> client.checkExists().forPath(root));
    stage.say("stat", () -> client.checkExists().forPath(root + "/b"));
    // All of a transaction has one zxid.
    stage.say(
        "one zxid: %s",
        client.checkExists().forPath(root + "/b").getCzxid() == client.checkExists().forPath(root).getPzxid());
    stage.say("nothing: %s", attempt(client));
    stage.say("compressed", () -> {
      client.transaction().forOperations(op.create().compressed().forPath(root + "/z", Stage.bytes("packed")));
      return client.getData().decompressed().forPath(root + "/z");
    });
  }

  /** None of it happens, and the error says which. */
  private static void refused(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    client.create().forPath(root + "/a", Stage.bytes("1"));
    var op = client.transactionOp();
    stage.say("wrong version: %s", attempt(
        client,
        op.create().forPath(root + "/b"),
        op.check().withVersion(7).forPath(root + "/a"),
        op.delete().forPath(root + "/a")));
    stage.say("no znode: %s", attempt(
        client,
        op.setData().forPath(root + "/a", Stage.bytes("2")),
        op.setData().forPath(root + "/none", Stage.bytes("2"))));
    stage.say("node exists: %s", attempt(
        client, op.create().forPath(root + "/b"), op.create().forPath(root + "/b")));
    stage.say("not empty: %s", attempt(
        client, op.create().forPath(root + "/a/child"), op.delete().forPath(root + "/a")));
    stage.say("below an ephemeral: %s", attempt(
        client,
        op.create().withMode(CreateMode.EPHEMERAL).forPath(root + "/e"),
        op.create().forPath(root + "/e/child")));
    stage.say("no parent: %s", attempt(client, op.create().forPath(root + "/none/child")));
    stage.say("children: %s", Stage.children(client, root));
    stage.say("stat", () -> client.checkExists().forPath(root + "/a"));
    stage.say("stat", () -> client.checkExists().forPath(root));
  }

  private static void background(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    var events = new Events();
    var op = client.transactionOp();
    client
        .transaction()
        .inBackground((framework, event) -> events.add("%s %d %s", event.getType(), event.getResultCode(), show(event.getOpResults())))
        .forOperations(op.create().forPath(root + "/a"), op.create().forPath(root + "/b"));
    stage.say("%s", events.next());
    client
        .transaction()
        .inBackground((framework, event) -> events.add("%s %d %s", event.getType(), event.getResultCode(), codes(event.getOpResults())))
        .forOperations(
            op.create().forPath(root + "/c"), op.create().forPath(root + "/b"), op.delete().forPath(root + "/a"));
    stage.say("%s", events.next());
  }

  private static void old(Stage stage) throws Exception {
    var root = stage.root;
    var client = stage.client();
    stage.say(
        "results: %s",
        show(
            client
                .inTransaction()
                .create()
                .forPath(root + "/a", Stage.bytes("1"))
                .and()
                .setData()
                .withVersion(0)
                .forPath(root + "/a", Stage.bytes("2"))
                .and()
                .check()
                .withVersion(1)
                .forPath(root + "/a")
                .and()
                .delete()
                .forPath(root + "/a")
                .and()
                .commit()));
    Callable<Object> failing =
        () -> client.inTransaction().create().forPath(root + "/b").and().delete().forPath(root + "/none").and().commit();
    stage.say("refused", failing);
    stage.say("children: %s", Stage.children(client, root));
  }

  private static String attempt(CuratorFramework client, CuratorOp... operations) throws Exception {
    try {
      return show(client.transaction().forOperations(operations));
    } catch (KeeperException error) {
      return error.code() + " " + codes(error.getResults());
    } catch (Exception error) {
      return error.getClass().getSimpleName();
    }
  }

  private static String show(Collection<CuratorTransactionResult> results) {
    if (results == null) return "none";
    return results.stream()
        .map(
            (each) ->
                each.getType()
                    + " "
                    + each.getForPath()
                    + (each.getResultPath() == null ? "" : " as " + each.getResultPath())
                    + (each.getResultStat() == null ? "" : " (" + Stage.shown(each.getResultStat()) + ")")
                    + (each.getError() == 0 ? "" : " error " + each.getError()))
        .collect(Collectors.joining("; "));
  }

  private static String codes(List<?> results) {
    if (results == null) return "without results";
    return results.stream()
        .map((each) -> each instanceof OpResult.ErrorResult error ? "" + error.getErr() : each instanceof CuratorTransactionResult result ? "" + result.getError() : each.getClass().getSimpleName())
        .collect(Collectors.joining(" "));
  }
}

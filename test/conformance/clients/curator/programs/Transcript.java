import java.util.ArrayList;
import java.util.List;

/** What one scenario observes. Printed at once, for others may run beside it. */
final class Transcript {
  private final List<String> lines = new ArrayList<>();
  private boolean isClean = true;

  Transcript(String scenario) {
    lines.add("## " + scenario);
  }

  void line(String text) {
    lines.add(text);
  }

  /** What should not have happened. */
  void fault(String text) {
    lines.add("!! " + text);
    isClean = false;
  }

  /** False if there was a fault. */
  boolean print() {
    System.out.println(String.join("\n", lines));
    System.out.flush();
    return isClean;
  }
}

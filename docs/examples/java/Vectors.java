import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Says of every vector in a folder what this verifier says: java Vectors messages.json FOLDER prints
 * a line "FILE REASON" for each, and ends with 1 when one is not as the list has it.
 */
final class Vectors {
  public static void main(String[] args) throws Exception {
    Message messages = new Message(Files.readAllBytes(Path.of(args[0])));
    Path folder = Path.of(args[1]);
    Map<Object, Trust> trusts = new HashMap<>();
    List<?> list = (List<?>) Json.parse(Files.readAllBytes(folder.resolve("vectors.json")));
    int wrong = 0;
    for (Object one : list) {
      Map<?, ?> v = (Map<?, ?>) one;
      Trust trust = trusts.get(v.get("trust"));
      if (trust == null) trust = new Trust((Map<?, ?>) Json.parse(Files.readAllBytes(folder.resolve((String) v.get("trust")))), messages);
      trusts.put(v.get("trust"), trust);
      String reason = trust.reason((String) v.get("of"), Files.readAllBytes(folder.resolve((String) v.get("file"))));
      System.out.println(v.get("file") + " " + reason);
      if (!reason.equals(v.get("reason"))) {
        wrong++;
        System.err.println(v.get("file") + ": '" + reason + "', and not '" + v.get("reason") + "'");
      }
    }
    System.err.println(list.size() + " vectors, " + wrong + " wrong");
    System.exit(wrong == 0 && !list.isEmpty() ? 0 : 1);
  }
}

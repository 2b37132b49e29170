import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The messages of the protocol, out of their JSON form, and their canonical bytes. A message is a
 * map of what is set, by the names of proto; whole numbers are BigInteger, bytes byte[].
 */
final class Message {
  // messages.json: "int64" is left out when it is zero, "int64?" is set or not, "int64[]" a list,
  // "int64{}" a map; the name of a message for a scalar's.
  private final Map<String, Map<String, String>> kinds = new HashMap<>();

  @SuppressWarnings("unchecked")
  Message(byte[] messages) {
    ((Map<String, Map<String, String>>) Json.parse(messages)).forEach(kinds::put);
  }

  /** Reads a message of the JSON mapping of proto3. Throws Json.Not. */
  Map<String, Object> read(String kind, byte[] raw) {
    return message(kind, Json.parse(raw));
  }

  private Map<String, Object> message(String kind, Object v) {
    if (!(v instanceof Map<?, ?> members)) throw new Json.Not("no object where one belongs");
    Map<String, String> fields = kinds.get(kind);
    Map<String, String> names = new HashMap<>();
    fields.keySet().forEach(f -> names.put(camel(f), f));
    fields.keySet().forEach(f -> names.put(f, f));
    Map<String, Object> out = new TreeMap<>();
    List<String> seen = new ArrayList<>();
    members.forEach((name, value) -> {
      String field = names.get(name);
      if (field == null || seen.contains(field)) throw new Json.Not("a member that the message does not have, or twice");
      seen.add(field);
      Object set = value == null ? null : field(fields.get(field), value);
      if (set != null) out.put(field, set);
    });
    return out;
  }

  private static String camel(String name) {
    return java.util.regex.Pattern.compile("_([a-z0-9])").matcher(name).replaceAll(m -> m.group(1).toUpperCase());
  }

  private static String of(String type) {
    return type.replaceAll("(\\?|\\[\\]|\\{\\})$", "");
  }

  /** The value of a field; null where it says what is not written: zero, or nothing in it. */
  private Object field(String type, Object v) {
    if (type.endsWith("[]")) {
      if (!(v instanceof List<?> l)) throw new Json.Not("no list where one belongs");
      return l.isEmpty() ? null : l.stream().map(one -> single(of(type), one)).toList();
    }
    if (type.endsWith("{}")) {
      if (!(v instanceof Map<?, ?> m)) throw new Json.Not("no map where one belongs");
      Map<String, Object> out = new TreeMap<>();
      m.forEach((k, one) -> out.put((String) k, single(of(type), one)));
      return out.isEmpty() ? null : out;
    }
    Object value = single(of(type), v);
    boolean zero = value.equals("") || value.equals(false) || value.equals(BigInteger.ZERO) || value instanceof byte[] b && b.length == 0;
    return zero && !type.endsWith("?") ? null : value;
  }

  private Object single(String type, Object v) {
    if (kinds.containsKey(type)) return message(type, v);
    if (type.equals("bool") && v instanceof Boolean || type.equals("string") && v instanceof String) return v;
    if (type.equals("bytes") && v instanceof String s) return bytes(s);
    String digits = v instanceof Json.Num n ? n.text() : v instanceof String s ? s : "";
    if (type.startsWith("int") && digits.matches("-?(0|[1-9][0-9]{0,18})")) {
      BigInteger n = new BigInteger(digits);
      if (n.bitLength() < Integer.parseInt(type.substring(3))) return n;
    }
    throw new Json.Not("a value of another type");
  }

  /** Base64 of either alphabet, with or without padding. */
  private static byte[] bytes(String s) {
    boolean url = s.matches("(?s).*[-_].*");
    String bare = s.length() % 4 == 0 ? s.replaceAll("={1,2}\\z", "") : s;
    if (!bare.matches(url ? "[A-Za-z0-9_-]*" : "[A-Za-z0-9+/]*") || bare.length() % 4 == 1) throw new Json.Not("no base64");
    return (url ? Base64.getUrlDecoder() : Base64.getDecoder()).decode(bare);
  }

  /** The RFC 8785 form of a message, proto names, without some of its own fields, as UTF-8. */
  byte[] canonical(String kind, Map<String, Object> m, String... without) {
    return written(kind, m, List.of(without)).getBytes(StandardCharsets.UTF_8);
  }

  private String written(String kind, Map<String, Object> m, List<String> without) {
    List<String> all = new ArrayList<>();
    m.forEach((name, v) -> {
      if (!without.contains(name)) all.add(Json.quoted(name) + ":" + value(kinds.get(kind).get(name), v));
    });
    return "{" + String.join(",", all) + "}";
  }

  @SuppressWarnings("unchecked")
  private String value(String type, Object v) {
    if (v instanceof List<?> l) return "[" + String.join(",", l.stream().map(one -> value(of(type), one)).toList()) + "]";
    if (v instanceof byte[] b) return Json.quoted(Base64.getEncoder().encodeToString(b));
    if (v instanceof BigInteger n) return of(type).equals("int64") ? Json.quoted(n.toString()) : n.toString(); // 64 bits are texts
    if (v instanceof String s) return Json.quoted(s);
    if (v instanceof Boolean b) return b.toString();
    if (kinds.containsKey(of(type)) && !type.endsWith("{}")) return written(type, (Map<String, Object>) v, List.of());
    List<String> all = new ArrayList<>();
    ((Map<String, Object>) v).forEach((k, one) -> all.add(Json.quoted(k) + ":" + value(of(type), one)));
    return "{" + String.join(",", all) + "}";
  }
}

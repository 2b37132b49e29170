import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Is this budget exactly what the gateway released? Offline, with what is pinned of the parties, and
 * with nothing but the JDK. Reasons are those of every other verifier of the project;
 * docs/clients.md says which bytes are which.
 */
final class Trust {
  /** Why it does not verify: a word of the closed list. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused(String reason) {
      super(reason, null, false, false);
    }
  }

  private record Key(String alg, List<?> kinds, PublicKey key, boolean lost) {}

  private record LogKey(String name, byte[] hash, PublicKey key) {}

  private record Party(String oin, Map<String, Key> keys, List<LogKey> log) {}

  private record Head(String origin, BigInteger size, byte[] root) {}

  private static final String RESULT = "ontschot-result+jwt";
  private static final BigInteger MOST = BigInteger.ONE.shiftLeft(53).subtract(BigInteger.TWO);
  private final Map<String, Party> parties = new LinkedHashMap<>();
  private final Party releaser;
  private final Message messages;

  /**
   * Trust in parties, by their pinned keys, as client.yaml and its trust file say it, with the keys in
   * it: {"releaser", "parties": [{"code", "oin", "keys": [{"id", "alg", "kinds", "pem", "lost"}], "log_keys"}]}.
   */
  Trust(Map<?, ?> file, Message messages) throws GeneralSecurityException {
    this.messages = messages;
    for (Object one : (List<?>) file.get("parties")) {
      Map<?, ?> p = (Map<?, ?>) one;
      Map<String, Key> keys = new HashMap<>();
      for (Object k : (List<?>) p.get("keys")) {
        Key key = key((Map<?, ?>) k);
        if (keys.put((String) ((Map<?, ?>) k).get("id"), key) != null || !fits(key)) throw new GeneralSecurityException("trust: a key of " + p.get("code"));
      }
      List<LogKey> log = new java.util.ArrayList<>();
      for (Object text : p.get("log_keys") == null ? List.of() : (List<?>) p.get("log_keys")) log.add(logKey((String) text));
      if (log.stream().map(LogKey::name).distinct().count() > 1) throw new GeneralSecurityException("trust: log_keys of " + p.get("code"));
      parties.put((String) p.get("code"), new Party((String) p.get("oin"), keys, log));
    }
    releaser = parties.get(file.get("releaser"));
    if (releaser == null) throw new GeneralSecurityException("trust: the releaser is no party");
  }

  /** The reason for which the JSON of a budget, an account or a dissolution does not verify; empty: it does. */
  String reason(String of, byte[] raw) {
    try {
      switch (of) {
        case "budget" -> budget(messages.read("Budget", raw));
        case "account" -> drawnUp("Account", messages.read("Account", raw), "funder");
        case "dissolution" -> drawnUp("Dissolution", messages.read("Dissolution", raw), "date");
        default -> throw new IllegalArgumentException(of);
      }
      return "";
    } catch (Json.Not e) {
      return "MALFORMED";
    } catch (Refused e) {
      return e.getMessage();
    }
  }

  private void budget(Map<String, Object> b) {
    Map<String, Object> claims = signed(text(b, "signature"), CLAIMS);
    byte[] digest = sha256(messages.canonical("Budget", b, "receipt", "signature"));
    must(claims.get("iss").equals(releaser.oin()), "RELEASER");
    must(claims.get("digest").equals(base64url(digest)), "CHANGED");
    Map<String, Object> receipt = message(b, "receipt");
    must(claims.get("receipt").equals(base64url(sha256(messages.canonical("Receipt", receipt == null ? Map.of() : receipt)))), "RECEIPT_CHANGED");
    receipt(receipt, digest, releaser.log());
    Set<Object> seen = new HashSet<>();
    for (Map<String, Object> report : list(b, "sources")) {
      if (!report.containsKey("disclosure")) continue;
      try {
        must(seen.add(disclosure(text(report, "source"), message(report, "disclosure"))), "TWICE");
      } catch (Refused e) {
        throw new Refused("DISCLOSURE_" + e.getMessage());
      }
    }
  }

  private void drawnUp(String kind, Map<String, Object> m, String same) {
    Map<String, Object> claims = signed(text(m, "signature"), Map.of("digest", "string", same, "string", "iat", "int", "iss", "string", "jti", "string"));
    must(claims.get("iss").equals(releaser.oin()), "RELEASER");
    must(claims.get(same).equals(text(m, same)) && claims.get("digest").equals(base64url(sha256(messages.canonical(kind, m, "signature")))), "CHANGED");
  }

  private Object disclosure(String code, Map<String, Object> d) {
    Party source = parties.get(code);
    must(source != null, "PARTY");
    Map<String, Object> s = signed(text(d, "statement"), STATEMENT);
    must(s.get("iss").equals(source.oin()) && s.get("aud").equals(releaser.oin()), "AUDIENCE");
    must(sound(s), "FORM");
    must(!source.log().isEmpty(), "LOG_KEY_MISSING");
    Map<String, Object> receipt = message(d, "receipt");
    must(number(receipt == null ? Map.of() : receipt, "decision_index").equals(s.get("decision")), "DECISION");
    receipt(receipt, Base64.getUrlDecoder().decode((String) s.get("answer")), source.log());
    return s.get("jti");
  }

  // --- signatures ---------------------------------------------------------------------------

  private static final Map<String, String> CLAIMS = Map.of("case", "string", "complete", "bool", "digest", "string", "exp", "int", "iat", "int",
      "iss", "string", "jti", "string", "kept", "int?", "policy_revision", "string", "receipt", "string");
  private static final Map<String, String> STATEMENT = new HashMap<>(Map.of("agreement", "string", "answer", "string", "aud", "string", "decision", "int",
      "iat", "int", "iss", "string", "jti", "string", "max_age_days", "int", "permit", "string", "policy_revision", "string"));

  static {
    STATEMENT.putAll(Map.of("request", "string", "retention_days", "int", "trace", "string"));
  }

  /** Verifies a compact JWS of a result and gives its claims, which are exactly those of spec. */
  private Map<String, Object> signed(String jws, Map<String, String> spec) {
    String[] parts = jws.split("\\.", -1);
    must(utf8(jws).length <= 16 << 10 && parts.length == 3 && parts[0].length() <= 8 << 10, "SIGNATURE_MALFORMED");
    byte[] head = unbase64url(parts[0]), payload = unbase64url(parts[1]), signature = unbase64url(parts[2]);
    must(signature.length > 0, "SIGNATURE_MALFORMED");
    Map<?, ?> h = object(head, "SIGNATURE_MALFORMED");
    h.forEach((name, v) -> must(List.of("alg", "kid", "typ", "x5t#S256").contains(name) && (v == null || v instanceof String), "SIGNATURE_MALFORMED"));
    must(text(h, "alg").length() > 0 && text(h, "kid").length() > 0 && text(h, "typ").equals(RESULT), "SIGNATURE_MALFORMED");
    Map<?, ?> claims = canonicalObject(payload, "SIGNATURE_MALFORMED");
    must(text(claims, "iss").matches("[0-9]{20}") && modest(claims, 1), "SIGNATURE_MALFORMED");
    Party party = parties.values().stream().filter(p -> p.oin().equals(claims.get("iss"))).findFirst().orElse(null);
    Key key = party == null ? null : party.keys().get(h.get("kid"));
    must(key != null && !key.lost() && key.alg().equals(h.get("alg")) && key.kinds().contains(RESULT), "SIGNATURE_KEY");
    must(good(key.alg(), key.key(), utf8(parts[0] + "." + parts[1]), signature), "SIGNATURE_INVALID");
    return exactly(claims, spec);
  }

  /** Whether names are plain ASCII, no two alike but for their case, and nothing is too deep or too many. */
  private static boolean modest(Object v, int depth) {
    if (v instanceof List<?> l) return depth <= 8 && l.stream().allMatch(one -> modest(one, depth + 1));
    if (!(v instanceof Map<?, ?> m)) return true;
    Set<String> names = new HashSet<>();
    boolean fine = depth <= 8 && m.size() <= 128;
    for (Object name : m.keySet()) fine = fine && ((String) name).matches("[ !#-\\[\\]-\\x7f]*") && names.add(((String) name).toLowerCase());
    return fine && m.values().stream().allMatch(one -> modest(one, depth + 1));
  }

  /** Claims of exactly these members and types. One with a question mark is left out when it is zero. */
  private static Map<String, Object> exactly(Map<?, ?> claims, Map<String, String> spec) {
    must(spec.keySet().containsAll(claims.keySet()), "SIGNATURE_MALFORMED");
    Map<String, Object> out = new HashMap<>();
    spec.forEach((name, type) -> {
      Object v = claims.get(name);
      if (!claims.containsKey(name) && type.endsWith("?")) return;
      if (type.equals("string") && v instanceof String || type.equals("bool") && v instanceof Boolean) out.put(name, v);
      else if (type.startsWith("int") && v instanceof Json.Num n && !(type.endsWith("?") && n.text().equals("0"))) out.put(name, new BigInteger(n.text()));
      else throw new Refused("SIGNATURE_MALFORMED");
    });
    return out;
  }

  private static Key key(Map<?, ?> k) throws GeneralSecurityException {
    byte[] der = Base64.getMimeDecoder().decode(((String) k.get("pem")).replaceAll("-----[A-Z ]+-----", ""));
    String family = switch ((String) k.get("alg")) {
      case "ES256" -> "EC";
      case "EdDSA" -> "Ed25519";
      default -> "RSA";
    };
    PublicKey key = KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(der));
    return new Key((String) k.get("alg"), (List<?>) k.get("kinds"), key, Boolean.TRUE.equals(k.get("lost")));
  }

  /** Whether a key is of a type and size that counts for its algorithm. RS256 is for outside tokens alone. */
  private static boolean fits(Key k) {
    if (k.kinds().isEmpty()) return false;
    return switch (k.alg()) {
      case "ES256" -> k.key() instanceof ECPublicKey ec && ec.getParams().toString().contains("secp256r1");
      case "EdDSA" -> k.key() instanceof EdECPublicKey;
      case "PS256" -> k.key() instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= 3072;
      case "RS256" -> k.key() instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= 2048 && k.kinds().equals(List.of("at+jwt"));
      default -> false;
    };
  }

  private static boolean good(String alg, PublicKey key, byte[] data, byte[] signature) {
    try {
      Signature by = Signature.getInstance(switch (alg) {
        case "ES256" -> "SHA256withECDSAinP1363Format";
        case "EdDSA" -> "Ed25519";
        default -> "RSASSA-PSS";
      });
      if (alg.equals("PS256")) by.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
      by.initVerify(key);
      by.update(data);
      return by.verify(signature);
    } catch (GeneralSecurityException e) {
      return false; // of another length
    }
  }

  // --- receipts: the release stands in the log --------------------------------------------------

  private void receipt(Map<String, Object> r, byte[] digest, List<LogKey> keys) {
    must(r != null, "RECEIPT_MISSING");
    must(!keys.isEmpty(), "LOG_KEY_MISSING");
    byte[] raw = bytes(r, "leaf"), salt = bytes(r, "salt");
    Map<?, ?> leaf = leaf(raw);
    BigInteger index = number(r, "index");
    must(leaf.get("kind").equals("release"), "LEAF_KIND");
    must(integer(leaf, "decided").equals(number(r, "decision_index")) && integer(leaf, "decided").compareTo(index) < 0, "LEAF_DECISION");
    must(salt.length == 32, "SALT_MALFORMED");
    must(base64url(sha256(utf8("ontschot/leaf/1/payload\0"), salt, digest)).equals(leaf.get("payload")), "LEAF_PAYLOAD");
    Head head = checkpoint(text(r, "checkpoint"), keys);
    must(text(r, "origin").equals(head.origin()), "CHECKPOINT_ORIGIN");
    List<?> proof = (List<?>) r.getOrDefault("proof", List.of());
    must(proof.size() <= 64 && proof.stream().allMatch(h -> ((byte[]) h).length == 32), "PROOF_MALFORMED");
    must(index.signum() >= 0 && index.compareTo(head.size()) < 0, "PROOF_INDEX");
    must(included(sha256(new byte[] {0}, raw), index.longValueExact(), head, proof), "PROOF_INCLUSION");
  }

  /** RFC 9162, section 2.1.3.2, of which the hashes are those of RFC 6962. */
  private static boolean included(byte[] hash, long at, Head head, List<?> proof) {
    long last = head.size().longValueExact() - 1;
    for (Object p : proof) {
      if (last == 0) return false;
      if (at % 2 == 1 || at == last) {
        hash = sha256(new byte[] {1}, (byte[]) p, hash);
        for (; at % 2 == 0 && at != 0; at >>= 1) last >>= 1;
      } else {
        hash = sha256(new byte[] {1}, hash, (byte[]) p);
      }
      at >>= 1;
      last >>= 1;
    }
    return last == 0 && Arrays.equals(hash, head.root());
  }

  /** A verifier key of C2SP signed-note: name+hash+base64(0x01 ‖ Ed25519 key). */
  private static LogKey logKey(String s) throws GeneralSecurityException {
    var found = Pattern.compile("([^+\\s]+)\\+([0-9a-f]{8})\\+([A-Za-z0-9+/]+=*)").matcher(s.strip());
    byte[] raw = found.matches() ? Base64.getDecoder().decode(found.group(3)) : new byte[0];
    if (raw.length != 33 || raw[0] != 1) throw new GeneralSecurityException("trust: a log key");
    byte[] hash = Arrays.copyOf(sha256(utf8(found.group(1) + "\n"), raw), 4);
    if (!HexFormat.of().formatHex(hash).equals(found.group(2))) throw new GeneralSecurityException("trust: the hash of a log key");
    byte[] der = HexFormat.of().parseHex("302a300506032b6570032100" + HexFormat.of().formatHex(raw, 1, 33));
    return new LogKey(found.group(1), hash, KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der)));
  }

  /** A checkpoint (C2SP tlog-checkpoint) without extension lines. */
  private static Head checkpoint(String note, List<LogKey> keys) {
    must(utf8(note).length <= 4 << 10, "CHECKPOINT_MALFORMED");
    String[] lines = openNote(note, keys).split("\n", -1);
    String name = keys.get(0).name();
    must(lines.length == 4 && lines[1].matches("0|[1-9][0-9]{0,15}") && new BigInteger(lines[1]).compareTo(MOST) <= 0, "CHECKPOINT_MALFORMED");
    byte[] root = unbase64(lines[2]);
    must(root.length == 32, "CHECKPOINT_MALFORMED");
    String epoch = lines[0].startsWith(name + "/epoch-") ? lines[0].substring(name.length() + 7) : "";
    boolean later = epoch.matches("[1-9][0-9]{0,15}") && new BigInteger(epoch).compareTo(BigInteger.ONE) > 0 && new BigInteger(epoch).compareTo(MOST) <= 0;
    must(lines[0].equals(name) || later, "CHECKPOINT_ORIGIN");
    return new Head(lines[0], new BigInteger(lines[1]), root);
  }

  /** The text of a signed note (C2SP signed-note) with one signature, by one of the keys. */
  private static String openNote(String note, List<LogKey> keys) {
    int at = note.lastIndexOf("\n\n");
    var found = Pattern.compile("— ([^+\\s]+) ([A-Za-z0-9+/]+=*)\n").matcher(note.substring(at < 0 ? 0 : at + 2));
    must(at >= 0 && !Pattern.compile("[\\x00-\\x09\\x0b-\\x1f]").matcher(note).find() && found.matches(), "CHECKPOINT_SIGNATURE");
    byte[] raw = unbase64(found.group(2));
    String text = note.substring(0, at + 1);
    must(raw.length == 68 && keys.stream().anyMatch(k -> k.name().equals(found.group(1)) && Arrays.equals(k.hash(), Arrays.copyOf(raw, 4))
        && good("EdDSA", k.key(), utf8(text), Arrays.copyOfRange(raw, 4, 68))), "CHECKPOINT_SIGNATURE");
    return text;
  }

  // --- leaves -----------------------------------------------------------------------------------

  private static Predicate<String> form(String pattern) {
    return Pattern.compile(pattern).asMatchPredicate();
  }

  private static final Predicate<String> TEXT = form("[A-Za-z0-9._:/#@=,-]{0,128}"), HEX64 = form("[0-9a-f]{64}"), HEX32 = form("[0-9a-f]{32}"), OIN = form("[0-9]{20}"),
      HASH = form("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"), UUID7 = form("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), NONE = String::isEmpty;
  private static final Map<String, Predicate<String>> TEXTS = new HashMap<>();
  private static final Map<String, Predicate<String>> LISTS = Map.of("agreements", HEX64, "consents", HASH, "organisations", OIN, "rests", HASH, "subjects", HASH);
  private static final Map<String, Integer> LIMITS = Map.of("agreements", 64, "consents", 224, "organisations", 32, "rests", 448, "subjects", 224);
  private static final Set<String> NUMBERS = Set.of("decided", "epoch", "retry_of", "time", "version"), OPTIONAL = Set.of("confirm", "day", "epoch", "key", "snapshot"),
      TRACED = Set.of("request", "decision", "source_call", "release", "deny", "break_glass"),
      UNTRACED = Set.of("consent", "agreement", "withdrawal", "policy", "key", "admin", "epoch", "confirmation", "snapshot", "erasure");

  static {
    for (String name : List.of("activity", "decision", "kind", "policy", "status")) TEXTS.put(name, TEXT);
    for (String name : List.of("case", "end", "payload", "put")) TEXTS.put(name, NONE.or(HASH));
    TEXTS.putAll(Map.of("confirm", HASH, "day", Trust::isDay, "id", UUID7, "key", HEX64, "snapshot", HEX64, "tenant", OIN, "trace", NONE.or(HEX32)));
  }

  private static boolean isDay(String s) {
    try {
      int year = LocalDate.parse(s).getYear();
      return s.matches("[0-9]{4}-[0-9]{2}-[0-9]{2}") && year >= 1850 && year <= 2299;
    } catch (DateTimeParseException e) {
      return false;
    }
  }

  /** A leaf: RFC 8785 JSON with exactly these members, each in its form. */
  private static Map<?, ?> leaf(byte[] raw) {
    must(raw.length <= 32 << 10, "LEAF_MALFORMED");
    Map<?, ?> leaf = canonicalObject(raw, "LEAF_MALFORMED");
    leaf.forEach((name, v) -> must(member((String) name, v), "LEAF_MALFORMED"));
    Set<String> needed = new HashSet<>(TEXTS.keySet());
    needed.addAll(LISTS.keySet());
    needed.addAll(NUMBERS);
    needed.removeAll(OPTIONAL);
    must(leaf.keySet().containsAll(needed) && rules(leaf), "LEAF_MALFORMED");
    return leaf;
  }

  private static boolean member(String name, Object v) {
    if (v instanceof String s) return TEXTS.containsKey(name) && TEXTS.get(name).test(s);
    if (v instanceof Json.Num) return NUMBERS.contains(name);
    return v instanceof List<?> l && LISTS.containsKey(name) && l.size() <= LIMITS.get(name) && l.stream().allMatch(one -> one instanceof String s && LISTS.get(name).test(s));
  }

  private static boolean rules(Map<?, ?> l) {
    Object kind = l.get("kind");
    long decided = integer(l, "decided").longValue(), retry = integer(l, "retry_of").longValue(), version = integer(l, "version").longValue();
    long time = integer(l, "time").longValue(), epoch = l.containsKey("epoch") ? integer(l, "epoch").longValue() : 0, most = MOST.longValue();
    return (version == 2 || version == 3) && (TRACED.contains(kind) || UNTRACED.contains(kind)) && time > 0 && time <= most + 1
        && (!l.get("trace").equals("") || UNTRACED.contains(kind))
        && kind.equals("release") == (decided >= 0) && decided >= -1 && decided <= most
        && retry >= -1 && retry <= most && (retry == -1 || kind.equals("decision") || kind.equals("deny"))
        && l.containsKey("day") == (version == 3) && !(version == 2 && l.containsKey("key"))
        && (!l.containsKey("key") || kind.equals("key") && !((List<?>) l.get("organisations")).isEmpty() && Set.of("in_use", "retired", "lost").contains(l.get("status")))
        && kind.equals("epoch") == l.containsKey("epoch") && (!l.containsKey("epoch") || epoch > 1 && epoch <= most)
        && kind.equals("confirmation") == l.containsKey("confirm") && kind.equals("snapshot") == l.containsKey("snapshot");
  }

  /** Whether each member of a source's statement has its form. */
  private static boolean sound(Map<String, Object> s) {
    Predicate<String> days = name -> ((BigInteger) s.get(name)).signum() > 0 && ((BigInteger) s.get(name)).compareTo(BigInteger.valueOf(3650)) <= 0;
    BigInteger at = (BigInteger) s.get("iat");
    return days.test("retention_days") && days.test("max_age_days") && HEX64.test(text(s, "agreement")) && HEX64.test(text(s, "policy_revision"))
        && HASH.test(text(s, "answer")) && HASH.test(text(s, "request")) && HEX32.test(text(s, "trace")) && UUID7.test(text(s, "jti")) && UUID7.test(text(s, "permit"))
        && at.signum() > 0 && at.compareTo(BigInteger.valueOf(253402300799L)) <= 0;
  }

  // --- small things -------------------------------------------------------------------------------

  private static void must(boolean good, String otherwise) {
    if (!good) throw new Refused(otherwise);
  }

  private static Map<?, ?> object(byte[] raw, String otherwise) {
    try {
      if (Json.parse(raw) instanceof Map<?, ?> m) return m;
    } catch (Json.Not e) {
      // as below
    }
    throw new Refused(otherwise);
  }

  private static Map<?, ?> canonicalObject(byte[] raw, String otherwise) {
    Map<?, ?> m = object(raw, otherwise);
    try {
      if (Arrays.equals(utf8(Json.canonical(m)), raw)) return m;
    } catch (Json.Not e) {
      // as below
    }
    throw new Refused(otherwise);
  }

  private static String text(Map<?, ?> m, String name) {
    return m.get(name) instanceof String s ? s : "";
  }

  private static BigInteger integer(Map<?, ?> m, String name) {
    return new BigInteger(((Json.Num) m.get(name)).text());
  }

  private static BigInteger number(Map<String, Object> m, String name) {
    return (BigInteger) m.getOrDefault(name, BigInteger.ZERO);
  }

  private static byte[] bytes(Map<String, Object> m, String name) {
    return (byte[]) m.getOrDefault(name, new byte[0]);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> message(Map<String, Object> m, String name) {
    return (Map<String, Object>) m.get(name);
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> list(Map<String, Object> m, String name) {
    return (List<Map<String, Object>>) m.getOrDefault(name, List.of());
  }

  private static byte[] utf8(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] sha256(byte[]... parts) {
    try {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (byte[] part : parts) all.writeBytes(part);
      return MessageDigest.getInstance("SHA-256").digest(all.toByteArray());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String base64url(byte[] raw) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(raw);
  }

  /** Base64url without padding, stray bits and line ends. */
  private static byte[] unbase64url(String s) {
    try {
      byte[] raw = Base64.getUrlDecoder().decode(s);
      if (base64url(raw).equals(s)) return raw;
    } catch (IllegalArgumentException e) {
      // as below
    }
    throw new Refused("SIGNATURE_MALFORMED");
  }

  /** Base64 without stray bits; nothing for anything else. */
  private static byte[] unbase64(String s) {
    try {
      byte[] raw = Base64.getDecoder().decode(s);
      return Base64.getEncoder().encodeToString(raw).equals(s) ? raw : new byte[0];
    } catch (IllegalArgumentException e) {
      return new byte[0];
    }
  }
}

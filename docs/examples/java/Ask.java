import com.google.protobuf.util.JsonFormat;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.NumberFormat;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import ontschot.budget.v1.BudgetOuterClass.Budget;
import ontschot.budget.v1.BudgetOuterClass.Gap;
import ontschot.budget.v1.BudgetOuterClass.MatrixRow;
import ontschot.budget.v1.Line.BudgetLine;
import ontschot.v1.Exchange.AssembleBudgetRequest;
import ontschot.v1.Exchange.AssembleBudgetResponse;
import ontschot.v1.Exchange.Person;
import ontschot.v1.ExchangeServiceGrpc;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Asks for one budget and says it in words:
 *
 * <pre>java Ask messages.json client.yaml client/token request.json [SECONDS]</pre>
 *
 * request.json is an AssembleBudgetRequest. With SECONDS it asks again and again for that long, on the
 * one channel, and then says how often.
 */
final class Ask {
  /** What came does not verify, or answers another request: nothing of it may be used. */
  private static final class NotVerified extends Exception {
    private static final long serialVersionUID = 1;

    NotVerified(String why) {
      super(why);
    }
  }

  public static void main(String[] args) throws Exception {
    Path config = Path.of(args[1]).toAbsolutePath();
    Map<?, ?> conf = yaml(config), tls = (Map<?, ?>) conf.get("tls");
    Trust trust = new Trust(trusted(config, conf), new Message(Files.readAllBytes(Path.of(args[0]))));
    AssembleBudgetRequest.Builder request = AssembleBudgetRequest.newBuilder();
    JsonFormat.parser().merge(Files.readString(Path.of(args[3])), request);
    String[] gateway = ((String) conf.get("gateway")).split(":");
    ManagedChannel channel = NettyChannelBuilder.forAddress(gateway[0], Integer.parseInt(gateway[1])).maxInboundMessageSize(16 << 20)
        .sslContext(GrpcSslContexts.forClient().trustManager(beside(config, tls.get("ca")).toFile())
            .keyManager(beside(config, tls.get("certificate")).toFile(), beside(config, tls.get("key")).toFile()).protocols("TLSv1.3").build())
        .build();
    int times = 0, seconds = args.length > 4 ? Integer.parseInt(args[4]) : 0;
    try {
      for (long until = System.nanoTime() + seconds * 1_000_000_000L; times == 0 || System.nanoTime() < until; times++) {
        Budget budget = ask(channel, trust, Files.readString(Path.of(args[2])).strip(), request.build());
        if (times == 0) say(budget);
        if (seconds > 0) Thread.sleep(100);
      }
      if (seconds > 0) System.out.println(times + " keer gevraagd en gecontroleerd.");
    } catch (StatusRuntimeException e) {
      System.err.println("Geen budget: " + e.getStatus().getCode() + ": " + e.getStatus().getDescription());
      System.exit(1);
    } catch (NotVerified e) {
      System.err.println("Geen budget: " + e.getMessage());
      System.exit(1);
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** A budget that verifies, and is the answer to this request. */
  private static Budget ask(ManagedChannel channel, Trust trust, String token, AssembleBudgetRequest request) throws Exception {
    Metadata metadata = new Metadata();
    metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    // Under which a client that gets no response can retry.
    metadata.put(Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER), UUID.randomUUID().toString());
    Iterator<AssembleBudgetResponse> events = ExchangeServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS).withWaitForReady()
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata)).assembleBudget(request);
    Budget budget = null;
    while (events.hasNext()) {
      AssembleBudgetResponse event = events.next();
      if (event.hasBudget()) budget = event.getBudget();
    }
    if (budget == null) throw new NotVerified("the stream ended without a budget");
    String json = JsonFormat.printer().preservingProtoFieldNames().print(budget);
    String reason = trust.reason("budget", json.getBytes(StandardCharsets.UTF_8));
    if (!reason.isEmpty()) throw new NotVerified(reason);
    // An older budget of the same gateway verifies as well.
    List<String> asked = request.getPersonsList().stream().map(Person::getRef).toList();
    List<String> answered = budget.getMatrixList().stream().map(MatrixRow::getPerson).toList();
    if (!budget.getPurpose().equals(request.getPurpose()) || !budget.getWindow().equals(request.getWindow()) || !budget.getViewOf().isEmpty() || !asked.equals(answered)) {
      throw new NotVerified("it answers another request");
    }
    return budget;
  }

  private static void say(Budget b) {
    System.out.printf("Het budget van %s tot en met %s.%n", b.getWindow().getFrom(), b.getWindow().getTo());
    for (BudgetLine line : b.getLinesList()) {
      String product = line.getProduct().getLabel().isEmpty() ? line.getProduct().getCode() : line.getProduct().getLabel();
      System.out.printf("- %s: %s (%s), betaald door %s: %s%n", line.getPerson(), product, line.getLaw(), line.getFunder(), euros(line.hasValueCents(), line.getValueCents()));
    }
    System.out.printf("Samen voor zorg: %s. Inkomen: %s.%n", euros(b.hasCareTotalCents(), b.getCareTotalCents()), euros(b.hasIncomeCents(), b.getIncomeCents()));
    b.getFindingsList().forEach(f -> System.out.println("Let op: " + f.getTextNl()));
    for (Gap g : b.getGapsList()) System.out.printf("Ontbreekt: %s bij %s (%s)%n", g.getPerson(), g.getSource(), g.getReason());
    System.out.printf("Gecontroleerd: de handtekening, de inhoud, het bewijs van het logboek en %d verklaringen van bronnen kloppen.%n",
        b.getSourcesList().stream().filter(s -> s.hasDisclosure()).count());
  }

  private static String euros(boolean known, long cents) {
    if (!known) return "niet bekend";
    String whole = NumberFormat.getIntegerInstance(Locale.forLanguageTag("nl-NL")).format(Math.abs(cents / 100));
    return (cents < 0 ? "-" : "") + "€ " + whole + String.format(",%02d", Math.abs(cents % 100));
  }

  /** Whose word counts: client.yaml, the trust file it names, and the keys that that names. */
  private static Map<?, ?> trusted(Path config, Map<?, ?> conf) throws Exception {
    Path at = beside(config, conf.get("trust"));
    List<?> parties = (List<?>) yaml(at).get("parties");
    for (Object party : parties) {
      for (Object k : (List<?>) ((Map<?, ?>) party).get("keys")) {
        @SuppressWarnings("unchecked")
        Map<String, Object> key = (Map<String, Object>) k;
        key.put("pem", Files.readString(beside(at, key.get("file"))));
      }
    }
    Map<String, Object> all = new HashMap<>();
    all.put("releaser", conf.get("releaser"));
    all.put("parties", parties);
    return all;
  }

  private static Map<?, ?> yaml(Path path) throws Exception {
    return (Map<?, ?>) new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(path));
  }

  private static Path beside(Path file, Object name) {
    return file.toAbsolutePath().getParent().resolve((String) name);
  }
}

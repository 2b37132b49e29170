// NEVER RUN, NOT EVEN COMPILED: see README.md.
//
// Asks for one budget, says it in words, and writes it to a file that `ontschot budget verify` reads:
//
//   dotnet run client.yaml client/token request.json budget.json

using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Ontschot.Budget.V1;
using Ontschot.V1;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

var conf = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build()
    .Deserialize<ClientFile>(File.ReadAllText(args[0]));
string Beside(string name) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(args[0]))!, name);

// Mutual TLS: our certificate, and those authorities alone that client.yaml names.
var authorities = new X509Certificate2Collection();
authorities.ImportFromPemFile(Beside(conf.Tls.Ca));
var handler = new SocketsHttpHandler
{
    SslOptions = new SslClientAuthenticationOptions
    {
        ClientCertificates = [X509Certificate2.CreateFromPemFile(Beside(conf.Tls.Certificate), Beside(conf.Tls.Key))],
        CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
    },
};
handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);

using var channel = GrpcChannel.ForAddress("https://" + conf.Gateway, new GrpcChannelOptions { HttpHandler = handler, MaxReceiveMessageSize = 16 << 20 });
var request = AssembleBudgetRequest.Parser.ParseJson(File.ReadAllText(args[2]));
var metadata = new Metadata
{
    { "authorization", "Bearer " + File.ReadAllText(args[1]).Trim() },
    { "idempotency-key", Guid.NewGuid().ToString() }, // under which a client that gets no response can retry
};
try
{
    using var call = new ExchangeService.ExchangeServiceClient(channel).AssembleBudget(request, metadata, DateTime.UtcNow.AddSeconds(30));
    Budget? budget = null;
    await foreach (var answer in call.ResponseStream.ReadAllAsync()) budget = answer.Budget ?? budget;
    if (budget is null) throw new InvalidDataException("the stream ended without a budget");
    File.WriteAllText(args[3], new JsonFormatter(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true)).Format(budget));
    Say(budget);
    return 0;
}
catch (RpcException e)
{
    Console.Error.WriteLine($"Geen budget: {e.StatusCode}: {e.Status.Detail}");
    return 1;
}

static void Say(Budget b)
{
    Console.WriteLine($"Het budget van {b.Window.From} tot en met {b.Window.To}.");
    foreach (var line in b.Lines)
        Console.WriteLine($"- {line.Person}: {line.Product.Label} ({line.Law}), betaald door {line.Funder}: {(line.HasValueCents ? Euros(line.ValueCents) : "niet bekend")}");
    Console.WriteLine($"Samen voor zorg: {(b.HasCareTotalCents ? Euros(b.CareTotalCents) : "niet bekend")}.");
    foreach (var finding in b.Findings) Console.WriteLine($"Let op: {finding.TextNl}");
    foreach (var gap in b.Gaps) Console.WriteLine($"Ontbreekt: {gap.Person} bij {gap.Source} ({gap.Reason})");
    Console.WriteLine("NIET gecontroleerd: laat ontschot budget verify dat doen, voor iemand hier iets op bouwt.");
}

static string Euros(long cents) => (cents / 100m).ToString("C", CultureInfo.GetCultureInfo("nl-NL"));

class ClientFile
{
    public string Gateway { get; set; } = "";
    public string Releaser { get; set; } = "";
    public string Trust { get; set; } = "";
    public TlsFiles Tls { get; set; } = new();
}

class TlsFiles
{
    public string Certificate { get; set; } = "";
    public string Key { get; set; } = "";
    public string Ca { get; set; } = "";
}

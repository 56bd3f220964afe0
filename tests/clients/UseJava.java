// What a user of the generated Java client writes; run with URL, user name and password.

import java.net.URI;
import java.util.List;
import signpost.client.ApiClient;
import signpost.client.ApiException;
import signpost.client.api.PostsApi;
import signpost.client.api.SignInApi;
import signpost.client.model.Post;
import signpost.client.model.PostInput;
import signpost.client.model.PostPage;
import signpost.client.model.PostPatch;
import signpost.client.model.Problem;
import signpost.client.model.TokenRequest;

public class UseJava {
    interface Call {
        void run() throws ApiException;
    }

    public static void main(String[] args) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(URI.create(args[0]) + "/api");
        TokenRequest grant = new TokenRequest()
                .grantType(TokenRequest.GrantTypeEnum.PASSWORD).username(args[1]).password(args[2]);
        String token = new SignInApi(client).createToken(grant).getAccessToken();
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));

        PostsApi posts = new PostsApi(client);
        Post post = posts.createPost(new PostInput().title("Grüße from Java").body("*Hello*")
                .tags(List.of("ÅÄÖ")).status(PostInput.StatusEnum.PUBLISHED), null);
        long id = post.getId();
        System.out.println("created " + post.getVersion() + " " + post.getTitle() + " " + post.getTags());

        PostPage page = posts.listPosts(PostsApi.APIListPostsRequest.newBuilder()
                .author(args[1]).sort("-created_at").limit(100).build());
        System.out.println("listed " + page.getItems().stream()
                .filter(each -> each.getId() == id).map(Post::getTitle).toList());

        String etag = posts.getPostWithHttpInfo(id, null, null).getHeaders().get("etag").get(0);
        Post changed = posts.patchPost(id, new PostPatch().title("Changed from Java"), null, etag);
        System.out.println("patched " + changed.getVersion() + " " + changed.getTitle());

        refused(client, () -> posts.patchPost(id, new PostPatch().title("Too late"), null, etag));
        posts.deletePost(id, null);
        refused(client, () -> posts.getPost(id, null, null));
    }

    static void refused(ApiClient client, Call late) throws Exception {
        try {
            late.run();
        } catch (ApiException error) {
            Problem problem = client.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
            System.out.println("refused " + problem.getStatus() + " " + problem.getCode());
        }
    }
}
